"""The contact guard: sees phone numbers, names, links, cards and passwords in a message before it is sent.

    for finding in guard.inspect(text, own_hosts={"wibestore.uz"}):
        guard.RULES[finding.kind].what, finding.seen

It knows nothing of people, conversations and tables; docs/contact-guard.md says what it sees and how well.
"""

from marketplace.messaging.guard.inspection import inspect
from marketplace.messaging.guard.kinds import RULES, Finding, Kind, Rule

__all__ = ["RULES", "Finding", "Kind", "Rule", "inspect"]
