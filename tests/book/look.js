// What axe-core finds wrong with a page or a part of it; `complaints` in conftest.py says what for.
async ([part, rulesOfColour, onlyColours]) => {
    const PLACES = ".cell_input, .cell_output, .admonition, .sd-card-body, article";
    const known = new Set();
    const kinds = (code) => {
        const place = code.closest(PLACES)?.className + code.parentElement.className;
        return [code, ...code.querySelectorAll("span")].map((word) => place + word.className);
    };
    const repeated = [...document.querySelectorAll("pre")].filter((code) => {
        const fresh = kinds(code).filter((kind) => !known.has(kind));
        fresh.forEach((kind) => known.add(kind));
        return !fresh.length;
    });
    // What is not looked at is taken out meanwhile: axe measures all that is there.
    const taken = [...repeated, ...document.querySelectorAll("mjx-math")].map((parent) => {
        const children = [...parent.childNodes];
        parent.replaceChildren();
        return [parent, children];
    });
    const exclude = ["mjx-math", "th:has(math)", ...repeated];

    const speaks = (element) => [...element.childNodes].some(
        (child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    // Two look alike if they, and all that is around them, have the same names, style and role.
    const looks = new Map([[null, 0]]);
    const numbers = new Map(); // of looks, because their descriptions are long
    const lookOf = (element) => {
        if (!looks.has(element)) {
            const style = getComputedStyle(element);
            const look = [
                lookOf(element.parentElement), element.localName, element.className,
                speaks(element), style.color, style.backgroundColor, style.backgroundImage,
                style.opacity, style.fontSize, style.fontWeight, style.textDecorationLine,
                style.textShadow,
            ].join();
            numbers.set(look, numbers.get(look) ?? numbers.size + 1);
            looks.set(element, numbers.get(look));
        }
        return looks.get(element);
    };
    const coloured = [...document.querySelectorAll(`${part}, ${part} *`)].filter(
        (element) => element.checkVisibility()
            && (speaks(element) || element.matches("a, input, select")));
    const firsts = new Map(coloured.toReversed().map((element) => [lookOf(element), element]));

    // No rule that is asked for reads style sheets, which axe would load with wrong addresses.
    const general = { resultTypes: ["violations", "incomplete"], preload: { assets: ["media"] } };
    const look = (include, options) => axe.run({ include, exclude }, { ...general, ...options });
    const colours = { runOnly: rulesOfColour, elementRef: true };
    const found = [await look([...firsts.values()], colours)];
    if (!onlyColours) {
        const rules = Object.fromEntries(rulesOfColour.map((rule) => [rule, { enabled: false }]));
        found.push(await look([part], { rules }));
    }
    const looked = found.every(({ passes }) => passes.length);
    // Where axe cannot tell, because something lies over the first, it looks at all that are alike.
    const unsure = new Set(found[0].incomplete.flatMap(
        ({ nodes }) => nodes.map(({ element }) => lookOf(element))));
    const others = coloured.filter(
        (element) => unsure.has(lookOf(element)) && firsts.get(lookOf(element)) !== element);
    if (others.length) found.push(await look(others, colours));
    taken.forEach(([parent, children]) => parent.replaceChildren(...children));
    const violations = found.flatMap((run) => run.violations).flatMap(
        ({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 150)}`));
    return { looked, violations };
}
