"""What a user puts around steps that they did not write: rules, where they come from, and gates.

Match, Rule        which steps a policy is for, and who said so
Policies           resolves rules to the terms of a step, once for each kind and name
"""

from __future__ import annotations

from ._decorating import policy as policy
from ._decorating import policy_of as policy_of
from ._match import Match as Match
from ._rules import Resolved as Resolved
from ._rules import Rule as Rule
from ._rules import rules_of as rules_of
from ._terms import Policies as Policies
