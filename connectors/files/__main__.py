"""Print the XML schema of the exchange: ``python -m connectors.files > docs/credit-insurance-exchange.xsd``."""

import sys

from .schema import schema_text

if __name__ == "__main__":
    sys.stdout.write(schema_text())
