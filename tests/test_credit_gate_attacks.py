from odoo.tests import tagged
from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestZ(CreditCommon):
    def test_z(self):
        pass
