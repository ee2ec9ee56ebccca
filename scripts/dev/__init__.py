"""The developer set-up: Odoo 19, Python packages, PostgreSQL, databases, tests and the demo, from nothing.

Runs on a bare Python (standard library only) because it is what builds the environment everything else runs in.

    cli -> commands (testing, demo, lint, shell) -> database -> odoo -> setup -> (odoo_source, environment, postgres)
                                                 \\-> postgres            \\-> process, lock, messages, paths
"""
