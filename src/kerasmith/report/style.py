"""The style sheet of the page."""

from kerasmith.report.palette import DARK, LIGHT


def _series(colours):
    return "".join(f"--series-{i}:{colour};" for i, colour in enumerate(colours, 1))


_LIGHT = (
    "--ground:#f6f7f8;--card:#ffffff;--ink:#1c2024;--soft:#5f6770;--line:#e1e4e8;--grid:#eaecef;--accent:#0072b2;"
    "--good:#00876a;--bad:#d55e00;--warn:#fdf4e3;--warn-line:#e9c27a;" + _series(LIGHT)
)
_DARK = (
    "--ground:#121417;--card:#1a1d21;--ink:#e8eaed;--soft:#9aa3ad;--line:#2c3138;--grid:#2a2f35;--accent:#5ab4f0;"
    "--good:#38cfa3;--bad:#ff9457;--warn:#2a2418;--warn-line:#7a6030;" + _series(DARK)
)

STYLE = (
    ":root{color-scheme:light dark;--sans:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',"
    "'Noto Sans','Liberation Sans',Arial,sans-serif;" + _LIGHT + "}\n"
    "@media (prefers-color-scheme:dark){:root{" + _DARK + "}}\n"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 var(--sans);-webkit-text-size-adjust:100%}
main{max-width:1180px;margin:0 auto;padding:40px 28px 56px}
header{margin-bottom:26px}
h1{font-size:27px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:18px;font-weight:620;letter-spacing:-.008em;margin:0 0 14px;overflow-wrap:anywhere}
h3{font-size:15px;font-weight:620;margin:18px 0 8px}
p{margin:0 0 10px;max-width:76ch}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.lead{color:var(--soft);margin:0}
.tiles{display:grid;gap:12px;margin:0 0 26px;padding:0;
grid-template-columns:repeat(auto-fill,minmax(max(136px,(100% - (var(--across) - 1)*12px)/var(--across)),1fr))}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:13px 16px 12px;min-width:0}
.tile dt{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.tile dd{margin:0;font-size:24px;line-height:1.3;font-weight:620;letter-spacing:-.015em;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
.tile small{display:block;color:var(--soft);font-size:12.5px;font-weight:400;letter-spacing:0}
section,details.section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 22px;
margin:0 0 18px}
details.section>summary{cursor:pointer;font-size:18px;font-weight:620;letter-spacing:-.008em}
details.section[open]>summary{margin-bottom:14px}
section.notes{background:var(--warn);border-color:var(--warn-line)}
section.notes ul{margin:0;padding-left:20px}section.notes li{margin:3px 0;max-width:90ch}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:26px 30px}
.charts>:only-child{max-width:760px}
.row{display:flex;flex-wrap:wrap;gap:26px 40px}.row h3{margin-top:0}
svg.chart{display:block;width:100%;height:auto;overflow:visible}
.band:hover .guide{opacity:1!important}
.band:hover line.guide{opacity:.45!important}
.hint{color:var(--soft);font-size:13px;margin:14px 0 0}
.scroll{overflow-x:auto}.scroll+.scroll{margin-top:20px}
table{border-collapse:collapse;font-size:14px;min-width:min(100%,340px)}
caption{caption-side:bottom;text-align:left;color:var(--soft);font-size:13px;padding-top:8px}
th,td{padding:6px 22px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:550;font-size:13px;white-space:nowrap}
tbody th{font-weight:450;color:var(--soft)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td strong{color:var(--good);font-weight:650}
table.pairs td{overflow-wrap:anywhere}table.pairs th{white-space:nowrap}
table.confusion td,table.confusion th{padding:7px 14px}
td.share{background:color-mix(in srgb,var(--hue) calc(var(--share)*.5),transparent)}
.columns{columns:2 360px;column-gap:40px}.columns>div{break-inside:avoid;padding-bottom:18px}.columns h3{margin-top:0}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--wide)),1fr));gap:18px}
.gallery figure{margin:0;max-width:640px}
.gallery img{display:block;width:100%;height:auto;border-radius:6px;background:#000}
.gallery img.small{image-rendering:pixelated}
.gallery figcaption{color:var(--soft);font-size:13px;padding-top:6px}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;color:var(--soft);font-size:13px;margin:0 0 12px;max-width:none}
.legend i{display:inline-block;width:20px;height:4px;border-radius:2px;margin-right:8px;vertical-align:middle}
pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace}
pre{overflow-x:auto;margin:0}
footer{color:var(--soft);font-size:13px}
@media (max-width:560px){main{padding:24px 14px 40px}section,details.section{padding:16px 14px}}
@media print{body{background:#fff}section,details.section,.tile{break-inside:avoid}}
"""
)
