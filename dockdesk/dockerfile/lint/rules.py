"""All own rules at once: what is found while one types, with nothing but the text at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dockdesk.dockerfile.context import ContextTree
from dockdesk.dockerfile.lint import copy_rules, run_rules, stage_rules, word_rules
from dockdesk.dockerfile.lint.findings import Findings
from dockdesk.dockerfile.lint.ignores import Ignores, offer
from dockdesk.dockerfile.pins import known_tags
from dockdesk.dockerfile.problems import Problem
from dockdesk.dockerfile.tree import Document


def check(
    document: Document,
    context: ContextTree | None = None,
    tags: stage_rules.Tags | None = None,
    ignores: Ignores | None = None,
) -> list[Problem]:
    """What the parser and the own rules find, in the order of the lines, fixes attached.

    ``context`` is a scan of the build context, for what COPY asks of it; ``tags`` gives tags known of an image, for
    pinning (the sources of the editor's completion know them), the ones to prefer first; ``ignores`` is what a
    `.hadolint.yaml` silences. Inline ignores and `# check=` are honoured by themselves. Never blocks.
    """
    findings = Findings(document)
    known = tags or _no_tags
    stage_rules.check(findings, lambda image: [*dict.fromkeys([*known_tags(image), *known(image)])])
    word_rules.check(findings)
    run_rules.check(findings)
    copy_rules.check(findings, context)
    silenced = (ignores or Ignores()).with_document(document)
    own = [
        replace(each, fixes=(*each.fixes, *offer(document, each)))
        for each in findings.found
        if not silenced.silences(each.code, each.line)
    ]
    parsed = [each for each in document.problems if not silenced.silences(each.code, each.line)]
    return sorted((*parsed, *own), key=lambda each: (each.line, each.column, each.code))


def _no_tags(_image: str) -> Sequence[str]:
    return ()
