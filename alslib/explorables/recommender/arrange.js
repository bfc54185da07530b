/* The children of an element, exchanged with as few changes as are needed. */

/* Those that stay in their order are not touched, so that they keep the focus and their layout. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let there = parent.firstElementChild; // counting children anew for each of them would take long
  for (const child of children) {
    if (child === there) there = there.nextElementSibling;
    else parent.insertBefore(child, there);
  }
}
