"""Who is who: numbers decide, names only suggest."""

import pytest

from connectors import BuyerCandidate, BuyerQuery
from connectors.matching import OTHER_COUNTRY, OTHER_ENTITY, Proof, judge, normalised_name, proven, rank
from connectors.numbers import EntityNumbers, Identity, compact_registration, compact_vat, compare, is_valid_vat


def query(**values):
    return BuyerQuery(**{"country": "FR", "name": "Atelier Lumière SARL", **values})


def candidate(number="1", **values):
    return BuyerCandidate(**{"buyer_id": number, "name": "Atelier Lumiere", "country": "FR", "score": 50, **values})


# --- Numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "ours", "theirs", "expected"),
    [
        ("FR", "334 175 221", "334175221", Identity.SAME),
        ("FR", "33417522100025", "334175221", Identity.SAME),  # an establishment stands for its entity
        ("FR", "RCS Lyon B 334 175 221", "334175221", Identity.SAME),
        ("FR", "334175221", "334175222", Identity.DIFFERENT),
        ("GB", "01234567", "1234567", Identity.SAME),
        ("GB", "SC123456", "NI123456", Identity.DIFFERENT),
        ("CH", "CHE-107.787.577", "107787577", Identity.SAME),
        ("DE", "HRB 104882", "hrb104882", Identity.SAME),
        ("DE", "HRB 104882", "HRA 104882", Identity.DIFFERENT),
        ("DE", "Amtsgericht Hamburg HRB 104882", "Hamburg, HRB 104882", Identity.SAME),
        ("DE", "Hamburg HRB 104882", "Muenchen HRB 104882", Identity.DIFFERENT),
        ("DE", "HRB 104882", "Muenchen HRB 104882", Identity.UNKNOWN),  # whose court?
        ("", "552 081 317", "552-081-317", Identity.SAME),
        ("FR", "n/a", "334175221", Identity.UNKNOWN),
        ("FR", "0", "334175221", Identity.UNKNOWN),
        ("FR", "", "334175221", Identity.UNKNOWN),
    ],
)
def test_registration_numbers_are_compared_as_their_country_writes_them(country, ours, theirs, expected):
    one, other = EntityNumbers(country, registration=theirs), EntityNumbers(country, registration=ours)
    assert compare(one, other) is compare(other, one) is expected


@pytest.mark.parametrize(
    ("country", "ours", "theirs", "expected"),
    [
        ("DE", "DE136695976", "136 695 976", Identity.SAME),
        ("GR", "EL094259216", "GR 094259216", Identity.SAME),
        ("NO", "NO 995 525 828 MVA", "995525828", Identity.SAME),
        ("BE", "BE0403170701", "0403.170.701", Identity.SAME),
        ("DE", "DE136695976", "DE136695977", Identity.DIFFERENT),
        ("DE", "/", "DE136695976", Identity.UNKNOWN),
    ],
)
def test_vat_numbers_are_compared_without_letters_and_separators(country, ours, theirs, expected):
    assert compare(EntityNumbers(country, vat=theirs), EntityNumbers(country, vat=ours)) is expected


def test_members_of_a_vat_group_are_not_the_same_entity():
    ours = EntityNumbers("NL", registration="12345678", vat="NL004495445B01")
    theirs = EntityNumbers("NL", registration="87654321", vat="NL004495445B01")
    assert compare(theirs, ours) is Identity.DIFFERENT


def test_number_within_a_vat_number_proves_and_never_disproves():
    vat = EntityNumbers("FR", vat="FR83334175221")
    assert compare(vat, EntityNumbers("FR", registration="334175221")) is Identity.SAME
    assert compare(vat, EntityNumbers("FR", registration="552100554")) is Identity.UNKNOWN


def test_equal_numbers_of_two_countries_are_two_entities():
    assert compare(EntityNumbers("AT", registration="12345"), EntityNumbers("DE", registration="12345")) is (
        Identity.DIFFERENT
    )
    assert compare(EntityNumbers("", registration="12345"), EntityNumbers("DE", registration="12345")) is Identity.SAME
    # Overseas departments are numbered by the mainland's register.
    assert compare(EntityNumbers("RE", registration="334175221"), EntityNumbers("FR", registration="334175221")) is (
        Identity.SAME
    )


@pytest.mark.parametrize("text", ["", " ", "/", "none", "０", "'; DROP TABLE x; --", "\0", "１２３", "x" * 10_000])
@pytest.mark.parametrize("country", ["", "DE", "FR", "ZZ", "../", "D", "__class__"])
def test_no_text_breaks_the_comparison(text, country):
    compact_vat(text, country), compact_registration(text, country), is_valid_vat(text, country)
    compare(EntityNumbers(country, text, text), EntityNumbers(country, "1", "1"))


def test_check_digits_where_the_country_has_a_rule():
    assert is_valid_vat("DE136695976", "DE") is True
    assert is_valid_vat("DE136695975", "DE") is False
    assert is_valid_vat("12", "US") is None


# --- Names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nordwind Maschinenbau GmbH & Co. KG", "NORDWIND MASCHINENBAU"),
        ("Société Atelier Lumière S.A.R.L.", "Atelier Lumiere SARL"),
        ("Müller & Söhne AG", "Muller und Sohne"),
        ("Großhandel Weiß e.K.", "GROSSHANDEL WEISS"),
        ("Jiangsu Huadong Trading Co., Ltd.", "jiangsu huadong trading"),
        ("上海华东贸易有限公司", "上海华东贸易"),
        ("Zakłady Łódź Sp. z o.o.", "Zaklady Lodz"),
    ],
)
def test_names_are_compared_without_legal_form_accents_and_punctuation(one, other):
    assert normalised_name(one) == normalised_name(other)


def test_name_of_legal_forms_only_remains():
    assert normalised_name("SA SA") == "sa sa"
    assert normalised_name("") == ""


def test_equal_number_gives_the_full_score_whatever_the_name():
    scored = judge(query(registration_number="334175221"), candidate(name="Other", registration_number="334 175 221"))
    assert (scored.score, scored.identity) == (100, Identity.SAME)


def test_unequal_number_keeps_an_equal_name_down():
    scored = judge(query(registration_number="334175221"), candidate(registration_number="552100554"))
    assert (scored.score, scored.identity) == (OTHER_ENTITY, Identity.DIFFERENT)
    assert scored.differences == {"registration_number"}


def test_equal_name_and_address_score_higher_than_an_equal_name():
    address = {"street": "12 rue des Lilas", "postal_code": "69003", "city": "Lyon"}
    full = judge(query(**address), candidate(**{**address, "street": "12, Rue des Lilas", "city": "LYON"}))
    name_only = judge(query(**address), candidate())
    elsewhere = judge(query(**address), candidate(street="1 quai Sud", postal_code="13002", city="Marseille"))
    assert full.score == 100 and not full.differences
    assert full.score > name_only.score > elsewhere.score
    assert elsewhere.differences == {"street", "postal_code", "city"}


def test_another_name_in_the_same_town_is_unlikely():
    assert judge(query(city="Lyon"), candidate(name="Boulangerie Dupont", city="Lyon")).score < 50


def test_company_of_the_same_group_is_less_likely_than_the_company_itself():
    ranked = rank(query(), [candidate("2", name="Atelier Lumière Holding SA"), candidate("1")])
    assert [each.candidate.buyer_id for each in ranked] == ["1", "2"]


def test_another_country_is_unlikely_and_an_untold_one_is_not():
    assert judge(query(), candidate(country="BE")).score <= OTHER_COUNTRY
    assert judge(query(), candidate(country="")).score > OTHER_COUNTRY


def numbered(asked, candidates):
    match = proven(asked, candidates)
    return match and match.candidate


def test_only_one_proven_entity_is_linked_by_itself():
    numbers = {"registration_number": "334175221"}
    assert numbered(query(), [candidate()]) is None
    assert numbered(query(**numbers), [candidate("1", **numbers), candidate("2")]).buyer_id == "1"
    assert numbered(query(**numbers), [candidate("1", **numbers), candidate("2", **numbers)]) is None
    # The same entity listed twice is one.
    assert numbered(query(**numbers), [candidate("1", **numbers), candidate("1", **numbers)]).buyer_id == "1"


# --- Our own reference ------------------------------------------------------------------------------------------

NUMBER = {"registration_number": "334175221"}
OTHER_NUMBER = {"registration_number": "552100554"}


def test_own_reference_comes_before_numbers():
    asked = query(own_reference="C-7", **NUMBER)
    match = proven(asked, [candidate("1", **NUMBER), candidate("2", own_reference="C-7")])
    assert (match.candidate.buyer_id, match.proof) == ("2", Proof.OWN_REFERENCE)
    match = proven(asked, [candidate("1", **NUMBER), candidate("2")])
    assert (match.candidate.buyer_id, match.proof) == ("1", Proof.NUMBER)


@pytest.mark.parametrize(
    "found",
    [
        [candidate("1", own_reference="C-7"), candidate("2", own_reference="C-7")],  # two under one reference
        [candidate("1", own_reference="C-7", **OTHER_NUMBER)],  # another entity
        [candidate("1", own_reference="C-7", country="BE")],
        [candidate("1", own_reference="C-8", **NUMBER)],  # somebody else's, by our own reference
        [candidate("1", own_reference="C-7", **OTHER_NUMBER), candidate("2", **NUMBER)],
        [candidate("1", own_reference="c-7")],
        [candidate("1", own_reference="")],
    ],
)
def test_own_reference_that_is_contradicted_or_ambiguous_links_nothing_by_itself(found):
    assert proven(query(own_reference="C-7", **NUMBER), found) is None


def test_nothing_is_equal_to_a_reference_that_is_not_given():
    assert proven(query(), [candidate("1", own_reference="")]) is None
    assert proven(query(own_reference=" "), [candidate("1", own_reference=" ")]) is None


def test_own_reference_gives_the_full_score_unless_the_number_is_another():
    assert judge(query(own_reference="C-7"), candidate(name="Other", own_reference=" C-7 ")).score == 100
    scored = judge(query(own_reference="C-7", **NUMBER), candidate(own_reference="C-7", **OTHER_NUMBER))
    assert (scored.score, scored.identity) == (OTHER_ENTITY, Identity.DIFFERENT)
    assert "own_reference" in judge(query(own_reference="C-7"), candidate(own_reference="C-8")).differences
