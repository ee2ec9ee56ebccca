"""Pure credit-insurance decisions: no Odoo, no I/O."""
