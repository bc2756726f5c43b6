/** The HTML report in headless Chromium: links, keyboard, dark colours and a narrow screen. */

import { assert, assertEquals } from "@std/assert";
import { changedRanges, pictureOf, renderReport } from "../../src/conformance/mod.ts";
import { MemorySource } from "../../src/bytes/mod.ts";
import { withScratch } from "../../src/peers/mod.ts";
import { readImage } from "../../src/recorded/mod.ts";
import { IMAGE, sampleReport } from "./sample_report.ts";

/** `env` finds it on the PATH: tests may run that, and few other programs. */
const ENV = "/usr/bin/env";
const isInstalled = await succeeds("chromium", "--version");
// deno-lint-ignore no-console
if (!isInstalled) console.log("skipped: the HTML report in a browser (chromium is not installed)");

async function succeeds(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(ENV, { args, stderr: "null" }).output();
  return success;
}

/** The page as it is after its scripts ran. */
async function domOf(directory: string, address: string, ...more: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(ENV, {
    args: [
      ...["chromium", "--headless", "--no-sandbox", "--disable-gpu"],
      ...[`--user-data-dir=${directory}/profile`, "--virtual-time-budget=3000", ...more],
      ...["--dump-dom", `file://${directory}/${address}`],
    ],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

function page(): string {
  const { record, files } = readImage("corpus/images", IMAGE);
  const [bytes = new Uint8Array()] = files();
  const { changes = [] } = record;
  const picture = pictureOf(new MemorySource(bytes), { format: "qcow2", changes });
  return renderReport("html", sampleReport(), new Map([[IMAGE, [picture]]]));
}

/** Runs a script in the page, in a frame of the given width; the script returns JSON. */
function framed(html: string, width: number, script: string): string {
  const free = html.replace(/<meta http-equiv[^>]*>/, "");
  const text = JSON.stringify(free).replaceAll("<", "\\u003c");
  return `<!doctype html><body><iframe width="${width}" height="800"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const window = frame.contentWindow, document = window.document;
  const result = (() => {${script}})();
  globalThis.document.title = JSON.stringify(result);
};
frame.srcdoc = ${text};
</script>`;
}

function titleIn(dom: string): unknown {
  const [, title = "null"] = /<title>([^<]*)<\/title>/.exec(dom) ?? [];
  return JSON.parse(title.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
}

async function inFrame(width: number, script: string, ...more: string[]): Promise<unknown> {
  return await withScratch(async (directory) => {
    Deno.writeTextFileSync(`${directory}/frame.html`, framed(page(), width, script));
    return titleIn(await domOf(directory, "frame.html", ...more));
  }, "/tmp");
}

const options = { ignore: !isInstalled };

Deno.test(
  "an address opens its case, and a cell of the matrix opens its list",
  options,
  () =>
    withScratch(async (directory) => {
      Deno.writeTextFileSync(`${directory}/report.html`, page());
      const closed = await domOf(directory, "report.html");
      assert(/<details id="case-1">/.test(closed));
      const opened = await domOf(directory, "report.html#case-1");
      assert(/<details id="case-1" open(?:="")?>/.test(opened));
    }, "/tmp"),
);

Deno.test("the keyboard shows where guest data is in the file", options, async () => {
  const result = await inFrame(
    1000,
    `for (const it of document.querySelectorAll("details")) it.open = true;
     const range = document.querySelector(".range[tabindex]");
     const display = () => window.getComputedStyle(range.querySelector(".arrow")).display;
     const before = display();
     range.focus();
     return [before, display(), document.activeElement === range,
       range.querySelector("title").textContent.includes("guest 0x"),
       document.querySelectorAll(".picture .changed").length];`,
  );
  assertEquals(result, ["none", "inline", true, true, 1]);
});

Deno.test("every link and summary can be reached with the keyboard", options, async () => {
  const result = await inFrame(
    1000,
    `const all = [...document.querySelectorAll("a, summary")];
     return [all.length > 10, all.filter((it) => it.tabIndex < 0).length];`,
  );
  assertEquals(result, [true, 0]);
});

Deno.test("nothing is wider than a phone", options, async () => {
  const script = `for (const it of document.querySelectorAll("details")) it.open = true;
     const root = document.documentElement;
     return [window.innerWidth, root.scrollWidth <= window.innerWidth];`;
  assertEquals(await inFrame(360, script), [360, true]);
});

/** The ratio of WCAG 2.1 between two colours as browsers print them. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

Deno.test("text has enough contrast in light and in dark", options, async () => {
  const script = `const colour = (name, of) => window.getComputedStyle(of)[name];
     return ["body", ".panel a", ".bad a", ".good", ".none", "blockquote"].map((it) =>
       colour("color", document.querySelector(it)))
       .concat(colour("backgroundColor", document.body));`;
  const grounds = [];
  for (const scheme of [0, 1]) {
    const colours = await inFrame(1000, script, `--blink-settings=preferredColorScheme=${scheme}`);
    const [ground = "", ...texts] = (colours as string[]).toReversed();
    for (const text of texts) assert(contrast(text, ground) >= 4.5, `${text} on ${ground}`);
    grounds.push(ground);
  }
  assert(grounds[0] !== grounds[1]);
});

Deno.test("changed bytes that are close together are one range", () => {
  const bytes = new Uint8Array(100).fill(1, 10, 12).fill(1, 15, 16).fill(1, 60, 61);
  assertEquals(changedRanges(bytes, new Uint8Array(90)), [
    { offset: 10, length: 6 },
    { offset: 60, length: 1 },
    { offset: 90, length: 10 },
  ]);
});
