from . import credit_insurance
from .credit_insurance import post_init_hook, pre_init_hook, uninstall_hook
