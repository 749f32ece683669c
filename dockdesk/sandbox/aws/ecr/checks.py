"""What ECR refuses of policies.

Source: docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from __future__ import annotations

import json

from dockdesk.sandbox.aws.values import AwsError, BadInputError, Params

_STATUSES = {"tagged", "untagged", "any"}
_COUNTS = {"imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"}
_ACTIONS = {"expire", "transition"}


def _parsed(text: str, name: str) -> Params:
    try:
        return Params(json.loads(text))
    except (ValueError, RecursionError):
        raise BadInputError(
            f"Invalid parameter at '{name}' failed to satisfy constraint: 'Invalid JSON syntax'"
        ) from None


def _wrong(why: str) -> BadInputError:
    return BadInputError(
        f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: {why}'"
    )


def check_lifecycle(text: str) -> None:
    """Raises BadInputError for a lifecycle policy that ECR would refuse."""
    try:
        rules = _parsed(text, "LifecyclePolicyText").inners("rules")
        seen = {_check_rule(rule) for rule in rules}
    except AwsError as error:  # of the wrong type
        raise _wrong(error.message) from None
    if len(seen) < len(rules):
        raise _wrong("two rules have one priority")


def _check_rule(rule: Params) -> int:
    """The rule's priority."""
    selection, action = rule.inner("selection"), rule.inner("action")
    if selection.text("tagStatus") not in _STATUSES:
        raise _wrong("tagStatus must be tagged, untagged or any")
    if selection.text("countType") not in _COUNTS:
        raise _wrong("countType is unknown")
    selection.whole("countNumber", low=1)
    if action.text("type") not in _ACTIONS:
        raise _wrong("an action must expire or transition")
    tagged = selection.texts("tagPrefixList") + selection.texts("tagPatternList")
    if selection.text("tagStatus") == "tagged" and not tagged:
        raise _wrong("tagged images need tagPrefixList or tagPatternList")
    return rule.whole("rulePriority", low=1)


def check_policy(text: str) -> None:
    """Raises BadInputError for a repository policy that is no policy at all."""
    policy = _parsed(text, "PolicyText")
    if not isinstance(policy.values.get("Statement"), list | dict):
        raise BadInputError(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        )
