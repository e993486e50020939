"""axe-core, given to a page by the debugger, so that its own content security policy stays as strict as it is."""

from pathlib import Path

import axe_playwright_python

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async options => {
  if (!window.axe) return null;
  const found = await window.axe.run(document, options);
  return found.violations.map(one => [one.id, one.help, one.nodes.slice(0, 3).map(node =>
    node.target.join(' ') + ' :: ' + node.html.slice(0, 160) + ' :: ' + node.failureSummary.slice(0, 300))]);
}"""


def source():
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def violations(page, axe_source, *, rules=None, without=()):
    """What is wrong with the page as it stands, one text for each rule that is broken. `rules` asks for those only."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    options = {
        "runOnly": only,
        "rules": {rule: {"enabled": False} for rule in without},
        "resultTypes": ["violations"],
    }
    found = page.evaluate(_RUN, options)
    if found is None:
        page.evaluate(axe_source)
        found = page.evaluate(_RUN, options)
    return [f"{rule}: {words}\n      " + "\n      ".join(nodes) for rule, words, nodes in found]
