"use strict";

/* Draws the figures of a `data-charts` section; each figure names its series. Colours come from the stylesheet. */
(() => {
  const section = document.querySelector("[data-charts]");
  if (!section) return;
  const HEIGHT = 170;
  let figures = null;
  let plots = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  /* Hours of the last day, days of longer spans. */
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { day: "numeric", month: "short" };
  const clock = (time, style) => new Date(time * 1000).toLocaleString(undefined, style);
  const shown = (value, unit) => {
    if (value == null) return "–";
    if (unit === "s" && value >= 120) return `${Math.round(value / 60)} min`;
    return value.toLocaleString() + (unit ? ` ${unit}` : "");
  };

  function options(figure, labels) {
    const { kind, unit, from, to } = figure.dataset;
    const axis = { stroke: colour("--quiet-text"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const long = figures.times.at(-1) - figures.times[0] > 2 * 86400;
    const bars = kind === "bars" ? uPlot.paths.bars({ size: [0.7, 24] }) : undefined;
    const series = labels.map((label, number) => {
      const stroke = colour(number ? "--series-2" : "--series-1");
      const filled = kind === "bars" ? stroke : stroke + "22";
      return {
        label, stroke, fill: filled, width: kind === "bars" ? 0 : 2, paths: bars, spanGaps: true,
        points: { show: kind !== "bars", size: 4 }, value: (_plot, value) => shown(value, unit),
      };
    });
    const range = from === undefined
      ? (_plot, _min, max) => [0, Math.max(max || 0, 4) * 1.1]
      : [Number(from), Number(to)];
    return {
      width: figure.querySelector(".plot").clientWidth, height: HEIGHT,
      series: [{ label: "at", value: (_plot, time) => (time == null ? "–" : clock(time, { ...day, ...hour })) }, ...series],
      scales: { y: { range } },
      axes: [
        { ...axis, space: 64, values: (_plot, ticks) => ticks.map((one) => clock(one, long ? day : hour)) },
        { ...axis, size: 56, values: (_plot, ticks) => ticks.map((one) => shown(one, unit)) },
      ],
      cursor: { y: false }, legend: { live: true },
    };
  }

  function draw() {
    plots.forEach((plot) => plot.destroy());
    plots = [];
    for (const figure of section.querySelectorAll("figure")) {
      const labels = figure.dataset.labels.split("|");
      const lines = figure.dataset.series.split(" ").map((name) => figures[name]);
      const place = figure.querySelector(".plot");
      if (!lines.some((line) => line.some((value) => value))) {
        place.textContent = "Nothing yet.";
        continue;
      }
      place.textContent = "";
      /* Two bars of one stretch stand on each other: the upper one is drawn first, as high as both. */
      const both = figure.dataset.kind === "bars" && lines.length === 2;
      const data = both ? [lines[0].map((value, at) => value + lines[1][at]), lines[1]] : lines;
      const made = options(figure, labels);
      if (both) made.series[1].value = (_plot, _value, _series, at) => shown(at == null ? null : lines[0][at]);
      plots.push(new uPlot(made, [figures.times, ...data], place));
    }
  }

  function table() {
    const names = [["changes_ghl", "changes to GoHighLevel"], ["changes_emailoctopus", "changes to EmailOctopus"],
      ["requests_ghl", "requests to GoHighLevel"], ["requests_emailoctopus", "requests to EmailOctopus"],
      ["lag", "lag in seconds"], ["quota", "% of quota left"]];
    const rows = [["from", ...names.map(([, label]) => label)]];
    figures.times.forEach((time, at) => {
      if (names.some(([name]) => figures[name][at])) {
        rows.unshift([clock(time, { ...day, ...hour }), ...names.map(([name]) => shown(figures[name][at]))]);
      }
    });
    const head = rows.pop();
    const made = section.querySelector("table.figures");
    made.replaceChildren();
    const line = (into, cells, tag) => {
      const row = into.insertRow();
      for (const cell of cells) {
        const one = document.createElement(tag);
        one.textContent = cell;
        if (tag === "th") one.scope = "col";
        row.append(one);
      }
    };
    line(made.createTHead(), head, "th");
    const body = made.createTBody();
    rows.forEach((cells) => line(body, cells, "td"));
  }

  async function load() {
    try {
      const answer = await fetch(section.dataset.charts, { headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      figures = await answer.json();
    } catch {
      return; /* the notice of the page says that the service doesn't answer */
    }
    draw();
    table();
  }

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => figures && draw(), 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures && draw());
  load();
  setInterval(load, 60000);
})();
