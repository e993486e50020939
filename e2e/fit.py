"""What does not fit: a page that scrolls sideways, and words that are cut off or run out of their box."""

_COMPLAINTS = """() => {
  const wide = document.documentElement.clientWidth, found = new Set();
  if (document.scrollingElement.scrollWidth > innerWidth) found.add('the page scrolls sideways');
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (words.nextNode()) {
    const node = words.currentNode, parent = node.parentElement;
    if (!node.textContent.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    if (!text.width) continue;
    let misfit = text.right > wide + 1 ? 'leaves the screen' : '';
    for (let box = parent; box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box), edge = box.getBoundingClientRect();
      // For screen readers only; cut with an ellipsis on purpose; to be scrolled.
      if (edge.width <= 1 || style.webkitLineClamp !== 'none' || style.textOverflow === 'ellipsis' ||
          ['auto', 'scroll'].includes(style.overflowX)) { misfit = ''; break; }
      if (style.display === 'inline') continue;
      if (text.right > edge.right + 1.5 || text.left < edge.left - 1.5) misfit ||= 'runs out of its box';
      if (style.overflowY === 'hidden' && text.bottom > edge.bottom + 1.5) misfit ||= 'is cut off';
      // A panel over the page is not held by what it hangs from.
      if (['absolute', 'fixed'].includes(style.position)) break;
    }
    if (misfit) found.add(`${misfit}: “${node.textContent.trim().slice(0, 60)}”`);
  }
  return [...found];
}"""


def complaints(page):
    """What does not fit into the window as it is, one text each."""
    return page.evaluate(_COMPLAINTS)
