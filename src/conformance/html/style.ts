/** The style of the page, for light and dark, for wide screens and phones. */
export const STYLE = `
:root { color-scheme: light dark; --fg: #1b1f24; --bg: #fff; --soft: #f3f4f6; --line: #c9ced6;
  --link: #0b57b8; --good: #1a7f37; --bad: #b3261e; --none: #5b636e;
  --header: #6639ba; --table: #0b6bcb; --data: #2c8a4b; --compressed: #0f8b8d; --unused: #d5d9df;
  --conflict: #c9510c; --changed: #d1001f; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6e9ee; --bg: #14171c; --soft: #1f242b;
  --line: #3b434e; --link: #7ab7ff; --good: #5fd083; --bad: #ff8a80; --none: #9aa4b2;
  --header: #b392f0; --table: #61a8f5; --data: #57c07a; --compressed: #4fc3c6; --unused: #3a414b;
  --conflict: #ffa657; --changed: #ff4d5e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--bg); color: var(--fg);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { margin-top: 2.5rem; } h3 { margin: 0; font-size: 1rem; }
a { color: var(--link); } a:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px; }
code, pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .86rem; }
pre { margin: 0; white-space: pre-wrap; } blockquote { margin: .5rem 0; padding-left: .8rem;
  border-left: 4px solid var(--line); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .35rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--soft); } .matrix td { text-align: right; white-space: nowrap; }
.matrix th[scope=row] { font-weight: 400; } .matrix .group th { background: var(--soft); }
.good { color: var(--good); } .bad, .bad a { color: var(--bad); font-weight: 600; }
.none { color: var(--none); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .4rem; }
summary { padding: .5rem .8rem; cursor: pointer; background: var(--soft); border-radius: .4rem; }
details > div { padding: .2rem .8rem .8rem; } .panel { display: none; padding: 0 .8rem .8rem;
  border: 2px solid var(--link); border-radius: .4rem; } .panel:target { display: block; }
.kind { font-weight: 600; } ul { padding-left: 1.2rem; } ul.links { columns: 16rem; }
.answers { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); }
.answers > div { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .6rem; }
.answers h5 { margin: 0; font-size: .8rem; color: var(--none); } h4 { margin: .8rem 0 .3rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; list-style: none; }
.legend svg { width: .9rem; height: .9rem; vertical-align: -.1rem; margin-right: .3rem; }
.picture { display: block; width: 100%; max-width: 50rem; margin: .6rem 0; overflow: visible; }
.picture text { fill: var(--none); font: 10px system-ui, sans-serif; }
.guest { fill: none; stroke: var(--line); } .range rect { stroke: var(--bg); stroke-width: .5; }
.header rect { fill: var(--header); } .table rect { fill: var(--table); }
.data rect { fill: var(--data); } .compressed rect { fill: var(--compressed); }
.unused rect { fill: var(--unused); } .conflict rect { fill: var(--conflict); }
.changed rect { fill: none; stroke: var(--changed); stroke-width: 2; }
.arrow { display: none; fill: none; stroke: var(--fg); stroke-width: 1.5; pointer-events: none; }
.range:hover .arrow, .range:focus .arrow { display: inline; }
.range:hover rect, .range:focus rect { stroke: var(--fg); stroke-width: 1.5; } .range:focus { outline: none; }
@media (max-width: 40rem) { body { padding: .6rem; } th, td { padding: .3rem .4rem; }
  h1 { font-size: 1.3rem; } }
`;
