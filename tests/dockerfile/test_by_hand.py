"""Drafts with their explanations, and kinds of project that are chosen by hand."""

from __future__ import annotations

import pytest

from dockdesk.dockerfile.explained import explained, without_syntax
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.lint.rules import check
from dockdesk.dockerfile.project import Project, draft, kinds_by_hand
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.templating import Note

PROJECTS = kinds_by_hand()


def test_there_is_one_of_each_kind() -> None:
    kinds = [project.kind for project in PROJECTS]
    assert kinds == ["python", "node", "go", "java", "rust", "dotnet", "php", "ruby", "static"]
    assert all(project.evidence for project in PROJECTS)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.kind)
def test_its_draft_says_the_same_with_and_without_explanations(project: Project) -> None:
    made = draft(project)
    text = explained(made.dockerfile, made.notes)
    plain, commented = parse(made.dockerfile), parse(text)
    assert [i.text for i in commented.instructions] == [i.text for i in plain.instructions]
    assert [d.name for d in commented.directives] == [d.name for d in plain.directives]
    assert not commented.problems
    assert not [p for p in check(commented) if p.tone in {"bad", "warn"}]
    ignore = explained(made.dockerignore, made.ignore_notes)
    assert IgnoreRules.parse(ignore).patterns == IgnoreRules.parse(made.dockerignore).patterns
    for note in made.notes:
        assert note.text.split()[0] in text
    bare, notes = without_syntax(made.dockerfile, made.notes)
    assert not parse(bare).directives
    assert len(parse(bare).instructions) == len(plain.instructions)
    lines, before = bare.split("\n"), made.dockerfile.split("\n")
    at = {note.text: before[note.line] for note in made.notes}
    assert [lines[note.line] for note in notes] == [at[note.text] for note in notes]


def test_comments_stand_above_their_lines_and_below_a_directive() -> None:
    notes = (Note(0, "Newest."), Note(2, "Small."), Note(2, "And old."))
    text = explained("# syntax=a\n\nFROM b\n", notes)
    assert text == "# syntax=a\n\n# Newest.\n\n# Small.\n# And old.\nFROM b\n"
    assert explained("FROM b\n", ()) == "FROM b\n"
    assert without_syntax("FROM b\n", notes) == ("FROM b\n", notes)
