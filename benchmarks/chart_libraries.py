"""How large a self-contained page of curves is with each chart library, and how long it takes to open; see `measure`.

    npm install uplot plotly.js-dist-min @bokeh/bokehjs vega vega-lite vega-embed d3 @observablehq/plot
    python -m benchmarks.chart_libraries node_modules

Four charts (loss, val_loss, dice, val_dice) of 1, 10 and 100 runs with 1,000 epochs each, every page one file. Times are from
the request to the second frame after everything has been drawn, the median of five, in headless Chromium.
"""

import argparse
import json
import pathlib
import statistics
import tempfile

import numpy as np

from kerasmith.report import Section, line_chart, render
from tests.support.browser import browser

EPOCHS, CHARTS, REPEATS = 1000, ("loss", "val_loss", "dice", "val_dice"), 5
CLOSING = "<\\/script"
_DONE = "requestAnimationFrame(()=>requestAnimationFrame(()=>{window.drawn=performance.now()}))"
_PARTS = {
    "Plotly": ["plotly.js-dist-min/plotly.min.js"],
    "Bokeh": ["@bokeh/bokehjs/build/js/bokeh.min.js", "@bokeh/bokehjs/build/js/bokeh-api.min.js"],
    "Vega-Lite": ["vega/build/vega.min.js", "vega-lite/build/vega-lite.min.js", "vega-embed/build/vega-embed.min.js"],
    "Observable Plot": ["d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js"],
}
_DRAW = {
    "Plotly": "Promise.all(data.map((c,k)=>Plotly.newPlot('c'+k,c.map((y,i)=>({y,mode:'lines',name:'run '+i})))))",
    "Bokeh": "Promise.all(data.map((c,k)=>{const p=Bokeh.Plotting.figure({width:560,height:300});"
    "c.forEach((y,i)=>p.line(y.map((_,j)=>j),y));return Bokeh.Plotting.show(p,'#c'+k)}))",
    "Vega-Lite": "Promise.all(data.map((c,k)=>vegaEmbed('#c'+k,{width:500,height:250,mark:'line',"
    "data:{values:c.flatMap((y,i)=>y.map((v,j)=>({x:j,y:v,r:i})))},params:[{name:'g',select:'interval',bind:'scales'}],"
    "encoding:{x:{field:'x',type:'quantitative'},y:{field:'y',type:'quantitative'},color:{field:'r',type:'nominal'}}})))",
    "Observable Plot": "Promise.all(data.map((c,k)=>document.getElementById('c'+k).append(Plot.plot({marks:[Plot.line("
    "c.flatMap((y,i)=>y.map((v,j)=>({x:j,y:v,r:i}))),{x:'x',y:'y',stroke:'r',z:'r'})]}))))",
}


def curves(runs: int) -> list[list[list[float]]]:
    """[chart][run][epoch], six digits."""
    draw = np.random.default_rng(0)
    decay = np.exp(-np.arange(EPOCHS) / 200)
    values = [[decay * draw.uniform(0.5, 2) + draw.normal(0, 0.02, EPOCHS) + 0.2 for _ in range(runs)] for _ in CHARTS]
    return [[[float(f"{v:.6g}") for v in curve] for curve in chart] for chart in values]


def pages(modules: pathlib.Path, runs: int) -> dict[str, str]:
    """{library: HTML}."""
    data = curves(runs)
    made = {}
    charts = [
        line_chart(
            {f"run {i}": y for i, y in enumerate(one)}, title=name, x_label="epoch", sync="epoch", legend="runs", digits=6
        )
        for name, one in zip(CHARTS, data, strict=True)
    ]
    made["uPlot, as here"] = render("runs", [Section("runs", '<div data-legend="runs"></div>' + "".join(charts))])
    for name, parts in _PARTS.items():
        library = "".join(f"<script>{(modules / part).read_text().replace('</script', CLOSING)}</script>" for part in parts)
        places = "".join(f'<div id="c{k}" style="width:560px;height:300px"></div>' for k in range(len(CHARTS)))
        text = json.dumps(data, separators=(",", ":"))
        made[name] = (
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8">{library}<body>{places}'
            f"<script>const data={text};{_DRAW[name]}.then(()=>{_DONE})</script>"
        )
    return made


def measure(modules: pathlib.Path) -> list[dict[str, str]]:
    """Rows of the table: library, and for each number of runs the size and the time."""
    rows: dict[str, dict[str, str]] = {}
    with browser() as tab, tempfile.TemporaryDirectory() as folder:
        for runs in (1, 10, 100):
            for name, text in pages(modules, runs).items():
                path = pathlib.Path(folder, "page.html")
                path.write_text(text, encoding="utf-8")
                times = []
                for _ in range(REPEATS):
                    tab.open(path)
                    if name in _DRAW:
                        tab.until("window.drawn")
                    times.append(tab.run("window.drawn || performance.now()") / 1000)
                row = rows.setdefault(name, {"library": name})
                row[f"{runs} runs"] = f"{path.stat().st_size / 1e6:.2f} MB, {statistics.median(times):.2f} s"
                print(row, flush=True)
    return list(rows.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", type=pathlib.Path, help="the folder node_modules")
    table = measure(parser.parse_args().modules)
    heads = list(table[0])
    print(
        *("| " + " | ".join(line) + " |" for line in (heads, ["---"] * len(heads), *(list(r.values()) for r in table))),
        sep="\n",
    )
