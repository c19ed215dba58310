"""From the bytes of an uploaded file to its XML tree: the encodings of the world, and a clear word for what is no diagram.

Tools declare one encoding and write another, put a byte order mark or a blank line before the declaration, or hand out a
picture, a Word file or their own format under the name of BPMN. What can be read without guessing at its content is
read; everything else is refused in a sentence that says what to do instead.
"""

from __future__ import annotations

import re

from lxml import etree

from engine.process.interpreter.document import BPMN, local_name, parse, refused
from engine.process.interpreter.model import DiagramError, Problem

#: What files begin with that are not XML at all, and what to tell who uploads one.
_OTHER_FILES = (
    (b"PK\x03\x04", "这是压缩包（或Word、Excel、Visio文件），请解压，或在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"\x89PNG", "这是图片，不含流程数据，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"\xff\xd8\xff", "这是图片，不含流程数据，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"GIF8", "这是图片，不含流程数据，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"BM", "这是图片，不含流程数据，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"%PDF", "这是PDF文件，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"\xd0\xcf\x11\xe0", "这是Word、Excel或Visio的旧格式文件，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
    (b"\x1f\x8b", "这是压缩包，请解压后再导入其中的.bpmn文件"),
    (b"Rar!", "这是压缩包，请解压后再导入其中的.bpmn文件"),
    (b"7z\xbc\xaf", "这是压缩包，请解压后再导入其中的.bpmn文件"),
    (b"{", "这是JSON文件，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入"),
)  # fmt: skip

#: Root elements of XML that people take for BPMN.
_OTHER_XML = {
    "svg": "这是图片（SVG），不含流程数据，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入",
    "html": "这是网页，不是流程图文件",
    "mxfile": "这是draw.io的绘图文件，请在其中另存为BPMN 2.0 XML后再导入",
    "Package": "这是XPDL文件，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入",
    "VisioDocument": "这是Visio绘图文件，请在Visio中导出为BPMN 2.0 XML（.bpmn）后再导入",
}
_DMN = "这是DMN决策表，不是流程图，请导入BPMN 2.0流程图"
_CMMN = "这是CMMN案例图，不是流程图，请导入BPMN 2.0流程图"

_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
#: What may hold any characters, and always ends in well-formed XML: a scan for it is linear.
_OPAQUE = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def read_tree(data: bytes) -> tuple[etree._Element, str | None]:
    """The root of a file from anywhere, and how its characters had to be read where that was not as it says itself.

    Raises DiagramError, with one Chinese sentence, for what is no safe BPMN 2.0 XML.
    """
    early = refused(data)
    if early is not None:
        raise DiagramError([early])
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise _refuse("empty-file", "文件是空的")
    for start, sentence in _OTHER_FILES:
        if data.lstrip().startswith(start):
            raise _refuse("not-xml", sentence)
    try:
        return _parse(data), None
    except DiagramError as error:
        if error.problems[0].rule != "not-xml":
            raise
        for encoding in _other_encodings(data):
            try:
                return _parse(_recoded(data, encoding)), encoding
            except (DiagramError, UnicodeError):
                continue
        raise


def remarks(data: bytes) -> int:
    """How many XML comments and processing instructions a file has that `read_tree` could read; they are not kept."""
    found = _OPAQUE.findall(data.replace(b"\0", b""))  # the zeros of UTF-16
    return sum(not one.startswith((b"<![CDATA[", b"<?xml ")) for one in found)


def _parse(data: bytes) -> etree._Element:
    """`document.parse`, with a better word for XML that is something else."""
    try:
        return parse(data.lstrip(b" \t\r\n"))
    except DiagramError as error:
        if error.problems[0].rule == "not-bpmn":
            raise _refuse("not-bpmn", _what_else(data)) from None
        raise


def _what_else(data: bytes) -> str:
    # The tree was parsed safely a moment ago: the same limits hold.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(data.lstrip(b" \t\r\n"), parser)
    space, tag = etree.QName(root).namespace or "", local_name(root)
    if "DMN" in space:
        return _DMN
    if "CMMN" in space:
        return _CMMN
    if tag == "definitions" and space != BPMN:
        return "文件不是BPMN 2.0流程图：它用的是其他版本或其他格式，请在原工具中导出为BPMN 2.0 XML"
    return _OTHER_XML.get(tag, "文件是XML，但不是BPMN 2.0流程图，请在原工具中导出为BPMN 2.0 XML（.bpmn）后再导入")


def _other_encodings(data: bytes) -> list[str]:
    """In what else it may be written: what a program that declares wrongly is known to write, the likeliest first."""
    declared = _ENCODING.match(data)
    if declared is None and b"\0" in data[:100]:
        return ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    # UTF-8 under the name of UTF-16 is what .NET makes of a text; GB 18030 holds GBK and GB 2312.
    return ["utf-8-sig", "gb18030"]


def _recoded(data: bytes, encoding: str) -> bytes:
    text = data.decode(encoding).lstrip("\ufeff \t\r\n")
    return _DECLARATION.sub("", text, count=1).encode("utf-8")


def _refuse(rule: str, message: str) -> DiagramError:
    return DiagramError([Problem(None, None, rule, message)])
