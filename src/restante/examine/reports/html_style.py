"""The look of the HTML report: its style sheet, and the shapes that go with the verdicts.

Every colour stands in the two lists at the top, for a light and for a dark ground; a test holds
each pair that meets on the page to the contrast of WCAG 2 AA. A verdict has a shape and a word
besides its colour.
"""

from __future__ import annotations

LIGHT = {
    "ground": "#ffffff",
    "raised": "#f4f5f7",
    "line": "#c9ced6",
    "ink": "#1b1f24",
    "pale": "#565e6b",
    "link": "#0b57a4",
    "passes": "#1a6b35",
    "must": "#a8151f",
    "should": "#a23b00",
    "differs": "#6f5200",
    "absent": "#565e6b",
    "untried": "#6b3fa0",
}
DARK = {
    "ground": "#14171b",
    "raised": "#1f242b",
    "line": "#3d4550",
    "ink": "#e8eaed",
    "pale": "#a5adb9",
    "link": "#8ab8f0",
    "passes": "#6fcf8c",
    "must": "#ff8f8f",
    "should": "#ffab70",
    "differs": "#e3c25a",
    "absent": "#a5adb9",
    "untried": "#c9a6f5",
}

_OUTLINE = 'fill="none" stroke="currentColor" stroke-width="1.8"'

SHAPES = {
    "passes": f'<path d="M2.5 8.5 6.2 12 13.2 4" {_OUTLINE}/>',
    "must": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/>'
    '<path d="m5 5 6 6m0-6-6 6" stroke="var(--ground)" stroke-width="2"/>',
    "should": '<path d="M8 1.5 15.2 14H.8z" fill="currentColor"/>'
    '<path d="M8 6v4m0 1.2V13" stroke="var(--ground)" stroke-width="1.8"/>',
    "differs": f'<path d="M2 6h12M2 10.5h12M11 2 5 14.5" {_OUTLINE}/>',
    "absent": f'<circle cx="8" cy="8" r="5.6" {_OUTLINE}/>',
    "untried": f'<path d="M2 2h12v12H2z" stroke-dasharray="3 2" {_OUTLINE}/>',
}
"""What stands beside a verdict, in a square of sixteen by sixteen."""

_RULES = """
*{box-sizing:border-box}
html{background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
body{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:2.6rem 0 .8rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
h3{font-size:1.05rem;margin:1.6rem 0 .5rem}
p{margin:.5rem 0;max-width:44rem}
a{color:var(--link)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px}
code{font:.86em/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.kicker{color:var(--pale);margin:0 0 .2rem;font-size:.95rem}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:1rem 0 0}
.facts dt{color:var(--pale)}
.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
.totals{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(9.4rem,1fr));
gap:.6rem;margin:1.6rem 0 0;padding:0}
.totals li{background:var(--raised);border:1px solid var(--line);border-radius:.5rem;
padding:.6rem .8rem}
.totals strong{display:block;font-size:1.7rem;line-height:1.2;color:var(--ink)}
.totals .none strong{color:var(--pale);font-weight:400}
.kind{white-space:nowrap;font-weight:600;font-size:.9rem}
.totals .kind,thead .kind{white-space:normal;display:inline-block}
.mark{width:.95em;height:.95em;vertical-align:-.1em;margin-right:.4em}
thead .mark{display:block;margin:0 0 .2rem auto;width:1.1em;height:1.1em}
.passes{color:var(--passes)}.must{color:var(--must)}.should{color:var(--should)}
.differs{color:var(--differs)}.absent{color:var(--absent)}.untried{color:var(--untried)}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--pale);padding:0 0 .5rem}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:right;
vertical-align:bottom}
th:first-child,td:first-child{text-align:left;padding-left:0}
thead th{font-size:.85rem;font-weight:600}
tbody th,tfoot th{font-weight:600;white-space:nowrap}
tfoot th,tfoot td{border-top:2px solid var(--line);border-bottom:0}
td.nothing{color:var(--pale)}
.words th,.words td{text-align:left;vertical-align:top;overflow-wrap:anywhere}
.bar{display:block;width:7rem;height:.6rem;background:var(--raised)}
.bar rect{fill:currentColor}
.departure{border:1px solid var(--line);border-left:.4rem solid currentColor;border-radius:.4rem;
padding:.2rem 1.1rem 1rem;margin:1.2rem 0;break-inside:auto}
.departure>*{color:var(--ink)}
.departure h3{margin-top:.8rem}
.why{max-width:none;overflow-wrap:anywhere}
.rule{color:var(--pale);margin:.2rem 0}
.id{font-weight:400;color:var(--pale);white-space:nowrap}
details{border-bottom:1px solid var(--line)}
summary{padding:.4rem 0;cursor:pointer;display:grid;
grid-template-columns:.5rem 11.5rem minmax(0,1fr) auto;gap:.2rem .8rem;align-items:baseline}
summary::before{content:"";border:.3rem solid transparent;border-left-color:var(--pale);
border-right-width:0;align-self:center}
details[open]>summary::before{transform:rotate(90deg)}
summary::-webkit-details-marker{display:none}
summary:hover{background:var(--raised)}
details>div{padding:.1rem 0 1rem 1.3rem}
.dialogue{list-style:none;margin:.6rem 0 0;padding:.6rem .8rem;background:var(--raised);
border-radius:.4rem}
.dialogue li{display:grid;grid-template-columns:4.6rem minmax(0,1fr);gap:.8rem}
.dialogue.several li{grid-template-columns:6rem minmax(0,1fr)}
.dialogue code{white-space:pre-wrap;overflow-wrap:anywhere}
.dialogue .end{color:var(--pale);font-weight:400}
.who{color:var(--pale);font-size:.82rem;text-align:right;padding-top:.08rem}
.says-c code{font-weight:700}
.says-n code{color:var(--pale);font-style:italic;font-family:inherit}
footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;color:var(--pale);
font-size:.9rem}
@media (max-width:44rem){summary{grid-template-columns:.5rem 1fr}
summary>:nth-child(n+2){grid-column:2}body{padding-top:1.2rem}
.dialogue li,.dialogue.several li{grid-template-columns:1fr;gap:0}.who{text-align:left}}
@media print{body{max-width:none;padding:0 1px;font-size:10pt}
tfoot{display:table-row-group}tr,.totals li{break-inside:avoid}
.totals{grid-template-columns:repeat(6,1fr)}html{font-size:10pt}
details::details-content{content-visibility:visible;display:block;height:auto}
h2,h3,summary,caption{break-after:avoid}.dialogue,.totals li{border:1px solid var(--line)}
a{color:inherit;text-decoration:none}}
"""


def style_sheet() -> str:
    """Return the whole style sheet."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        # Paper is white, whatever the screen is.
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{_RULES}"
    )


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
