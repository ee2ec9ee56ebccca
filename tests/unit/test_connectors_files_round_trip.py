"""What is written into a file is read from it the same."""

import dataclasses

import pytest
from files_cases import messages
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.files import FileForm, export, read, read_exported, write_answers
from connectors.files.answers import ANSWERS
from connectors.files.outgoing import OUTGOING
from connectors.files.records import CONDITIONS, KINDS

TABLES = (FileForm.CSV, FileForm.XLSX, FileForm.XML)
# Shrinking such large messages takes longer than looking at one.
FEW = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[phase for phase in Phase if phase is not Phase.shrink],
)


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("kind", OUTGOING, ids=lambda kind: kind.code)
@FEW
@given(data=st.data())
def test_what_is_exported_reads_back_equal(kind, form, data):
    sent = data.draw(st.lists(messages(kind), min_size=1, max_size=3, unique_by=lambda message: message.reference))
    file = export(sent, form)
    assert read_exported(file.content, file.name) == (tuple(sent), ())


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.code)
@FEW
@given(data=st.data())
def test_what_an_insurer_writes_reads_back_equal(kind, form, data):
    def key(answer):
        return tuple(str(getattr(answer, name)) for name in kind.key)

    told = data.draw(st.lists(messages(kind), min_size=1, max_size=3, unique_by=key))
    file = write_answers(told, form)
    found = read(file.content, file.name)
    assert (found.all(), found.problems) == (tuple(told), ())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_no_field_of_a_message_is_left_out_of_the_file(kind):
    left_out = {"report_state": {"report"}}  # the report itself is a file
    for owner, columns, parts in [
        (kind.type, kind.columns, kind.parts),
        *((p.type, p.columns, ()) for p in kind.parts),
    ]:
        told = {column.name for column in columns} | {part.name for part in parts}
        assert {field.name for field in dataclasses.fields(owner)} - told == left_out.get(kind.code, set())
    assert all(part is CONDITIONS or dataclasses.is_dataclass(part.type) for part in kind.parts)


@pytest.mark.parametrize("form", TABLES)
@FEW
@given(data=st.data())
def test_answers_of_different_kinds_share_a_file(form, data):
    kinds = data.draw(st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=4, unique=True))
    told = [data.draw(messages(kind)) for kind in kinds]
    file = write_answers(told, form)
    found = read(file.content, file.name)
    assert not found.problems
    order = [type(answer) for answer in found.all()]
    assert list(found.all()) == sorted(told, key=lambda answer: order.index(type(answer)))
