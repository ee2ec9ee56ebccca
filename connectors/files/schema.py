"""The XML schema of the exchange, made from the tables of columns.

``python -m connectors.files`` prints it; ``docs/credit-insurance-exchange.xsd`` is that print.
"""

from collections.abc import Iterable
from functools import cache

from lxml import etree

from .columns import MAX_CELL, Cell, Column, Kind, Part
from .records import KINDS

NAMESPACE = "urn:credit-insurance:exchange:1"
VERSION = "1"
XSD = "http://www.w3.org/2001/XMLSchema"
TYPES = {
    Cell.TEXT: "text",
    Cell.IDENTIFIER: "text",
    Cell.STATUS: "text",
    Cell.AMOUNT: "amount",
    Cell.NUMBER: "number",
    Cell.PERCENTAGE: "percentage",
    Cell.INTEGER: "xs:int",
    Cell.FLAG: "xs:boolean",
    Cell.DATE: "xs:date",
    Cell.INSTANT: "instant",
    Cell.COUNTRY: "country",
    Cell.CURRENCY: "currency",
}
SIMPLE = f"""
  <xs:simpleType name="text">
    <xs:restriction base="xs:string"><xs:minLength value="1"/><xs:maxLength value="{MAX_CELL}"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="number">
    <xs:restriction base="xs:decimal"><xs:totalDigits value="28"/><xs:fractionDigits value="10"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="amount">
    <xs:restriction base="number"><xs:minInclusive value="0"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="percentage">
    <xs:restriction base="amount"><xs:maxInclusive value="100"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="instant"><xs:union memberTypes="xs:dateTime xs:date"/></xs:simpleType>
  <xs:simpleType name="country">
    <xs:restriction base="xs:string"><xs:pattern value="[A-Z]{{2}}"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="currency">
    <xs:restriction base="xs:string"><xs:pattern value="[A-Z]{{3}}"/></xs:restriction>
  </xs:simpleType>"""


def schema_text() -> str:
    """The schema as published."""
    choices = "\n".join(f'        <xs:element name="{kind.code}" type="{kind.code}"/>' for kind in KINDS.values())
    codes = {column.codes.__name__: column for column in _columns() if column.codes and column.cell is Cell.CODE}
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="{XSD}" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}"
           elementFormDefault="qualified" version="{VERSION}">
  <xs:element name="exchange">
    <xs:complexType>
      <xs:choice minOccurs="0" maxOccurs="unbounded">
{choices}
      </xs:choice>
      <xs:attribute name="version" type="xs:string" fixed="{VERSION}"/>
    </xs:complexType>
  </xs:element>
{SIMPLE}
{"".join(_enumeration(name, column) for name, column in sorted(codes.items()))}
{"".join(_kind(kind) for kind in KINDS.values())}</xs:schema>
"""


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(schema_text().encode()))


def _columns() -> Iterable[Column]:
    return (column for kind in KINDS.values() for _part, column in kind.table.values())


def _enumeration(name: str, column: Column) -> str:
    assert column.codes is not None
    values = "".join(f'<xs:enumeration value="{code.value}"/>' for code in column.codes)
    return f"""  <xs:simpleType name="{name}">
    <xs:restriction base="xs:string">{values}</xs:restriction>
  </xs:simpleType>
"""


def _kind(kind: Kind) -> str:
    parts = "".join(_part(part) for part in kind.parts)
    return f"""
  <xs:complexType name="{kind.code}">
    <xs:annotation><xs:documentation>{kind.meaning}</xs:documentation></xs:annotation>
    <xs:all>
{"".join(_element(column, 6) for column in kind.columns)}{parts}    </xs:all>
  </xs:complexType>
"""


def _part(part: Part) -> str:
    """The lines of a part lie in an element of their own, so that elements may come in any order."""
    elements = "".join(_element(column, 16) for column in part.columns)
    least = "" if part.needed else ' minOccurs="0"'
    line = f"""              <xs:complexType>
                <xs:all>
{elements.replace(" " * 16, " " * 18)}                </xs:all>
              </xs:complexType>
"""
    if part.single:
        return f"""      <xs:element name="{part.name}">
{line}      </xs:element>
"""
    return f"""      <xs:element name="{part.name}"{least}>
        <xs:complexType>
          <xs:sequence>
            <xs:element name="{part.item}" maxOccurs="unbounded">
{line}            </xs:element>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
"""


def _element(column: Column, indent: int) -> str:
    typed = column.codes.__name__ if column.codes and column.cell is Cell.CODE else TYPES[column.cell]
    meaning = column.meaning
    if column.codes and column.cell is Cell.STATUS:
        meaning += f": {', '.join(code.value for code in column.codes)}; any other is kept as written"
    least = "" if column.required else ' minOccurs="0"'
    return f"""{" " * indent}<xs:element name="{column.name}" type="{typed}"{least}>
{" " * indent}  <xs:annotation><xs:documentation>{meaning}</xs:documentation></xs:annotation>
{" " * indent}</xs:element>
"""
