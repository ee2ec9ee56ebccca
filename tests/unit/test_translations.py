"""The translations say all that the template asks for, and break nothing in what the program fills in."""

import re
from collections import Counter
from pathlib import Path

import polib
import pytest

I18N = Path(__file__).resolve().parents[2] / "i18n"
TEMPLATE = polib.pofile(str(I18N / "credit_insurance.pot"))
LANGUAGES = {path.stem: polib.pofile(str(path)) for path in sorted(I18N.glob("*.po"))}

# What Python and YAML rules fill in: %(name)s, %s, {name}.
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")
TAG = re.compile(r"<[^>]*>")

each_language = pytest.mark.parametrize("language", LANGUAGES)


def test_french_and_simplified_chinese_are_there():
    assert {"fr", "zh_CN"} <= set(LANGUAGES)


@each_language
def test_a_language_has_exactly_the_terms_of_the_template(language):
    entries = [entry.msgid for entry in LANGUAGES[language]]
    assert sorted(entries) == sorted(entry.msgid for entry in TEMPLATE)


@each_language
def test_every_term_is_translated_and_none_is_in_doubt(language):
    assert [entry.msgid for entry in LANGUAGES[language] if entry.fuzzy or not entry.msgstr.strip()] == []


@each_language
def test_a_translation_keeps_the_placeholders(language):
    assert _differing(language, PLACEHOLDER) == []


@each_language
def test_a_translation_keeps_the_markup(language):
    assert _differing(language, TAG) == []


@each_language
def test_a_file_names_its_language_and_its_plural(language):
    metadata = LANGUAGES[language].metadata
    assert metadata["Language"] == language
    assert metadata["Plural-Forms"].startswith("nplurals=")


@pytest.mark.parametrize("file", [TEMPLATE, *LANGUAGES.values()], ids=["template", *LANGUAGES])
def test_places_in_code_are_named_below_the_addon(file):
    """Odoo finds the terms of a module's code by these; an export from elsewhere would name folders of one machine."""
    places = {place for entry in file for place, _line in entry.occurrences if place.startswith("code:")}
    assert places
    assert {place for place in places if not place.startswith("code:addons/credit_insurance/")} == set()


def _differing(language, pattern):
    return [
        (entry.msgid, entry.msgstr)
        for entry in LANGUAGES[language]
        if Counter(pattern.findall(entry.msgid)) != Counter(pattern.findall(entry.msgstr))
    ]
