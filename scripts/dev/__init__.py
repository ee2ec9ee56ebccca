"""The developer set-up: Odoo 19, Python packages, PostgreSQL, databases, tests and the demo, from nothing.

Runs on a bare Python (standard library only) because it is what builds the environment everything else runs in.

    cli                                                the commands
    demo testing story shell lint bench clean          one module per command
    database odoo simulator children results           what they share
    setup                                              everything in place: odoo_source, environment, postgres
    process lock messages paths                        no opinion of their own

Imports go downwards only.
"""
