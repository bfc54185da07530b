"""What a PDF says that Chromium has printed: as little of the format as that takes."""

import re
import zlib


def _stream(body):
    packed = re.search(rb"stream\n(.*)\nendstream", body, re.DOTALL)[1]
    return zlib.decompress(packed)


def _letters(cmap):
    """Return the text of each glyph of a font, by its number in hexadecimal digits."""
    letters = {}
    for block in re.findall(r"beginbfchar\n(.*?)endbfchar", cmap, re.DOTALL):
        for glyph, text in re.findall(r"<(\w+)> <(\w+)>", block):
            letters[glyph] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange\n(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
            for i in range(int(last, 16) - int(first, 16) + 1):
                letters[f"{int(first, 16) + i:04X}"] = chr(int(text, 16) + i)
    return letters


def text_of_pdf(pdf):
    """Return the text of all pages, in their order, with no space where a line ends."""
    objects = dict(re.findall(rb"^(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL | re.MULTILINE))
    fonts = {
        number: _letters(_stream(objects[cmap[1]]).decode("ascii"))
        for number, body in objects.items()
        if (cmap := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    text, letters = [], {}
    for body in objects.values():
        # Pictures and fonts say more about themselves; the content of a page is packed, no more.
        if not re.match(rb"<</Filter /FlateDecode\n/Length \d+>> stream\n", body):
            continue
        for font, glyphs in re.findall(rb"/F(\d+) \S+ Tf|<([0-9A-F]+)>", _stream(body)):
            if font:
                letters = fonts.get(font, {})
            for glyph in re.findall("....", glyphs.decode("ascii")):
                text.append(letters.get(glyph, "\N{REPLACEMENT CHARACTER}"))
    return "".join(text)
