/** Style sheet of the page: light and dark, wide and narrow, print. Colours c0–c5 keep 3 : 1 against their ground. */
export const pageStyle = `
:root{color-scheme:light dark;--ground:#fbfaf8;--card:#fff;--ink:#1d2126;--soft:#5b636d;--rule:#dedbd5;--grid:#e9e6e1;
--c0:#0b67a8;--c1:#b8480a;--c2:#00786a;--c3:#a3307c;--c4:#75650a;--c5:#5b50b8}
@media (prefers-color-scheme:dark){:root{--ground:#15181c;--card:#1c2025;--ink:#e7e5e1;--soft:#a2a9b2;--rule:#373d45;--grid:#2b3037;
--c0:#64b5f3;--c1:#f59a5c;--c2:#48cbae;--c3:#ec8cc8;--c4:#d8c450;--c5:#ada8f7}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:44px}
h1{font-size:clamp(1.55rem,4vw,2.2rem);line-height:1.2;letter-spacing:-.015em;margin:0 0 6px}
h2{font-size:1.35rem;margin:52px 0 4px;letter-spacing:-.01em}
h3{font-size:1.02rem;margin:36px 0 10px}
p{margin:6px 0;max-width:74ch}
.lead,.caption,footer,caption,figcaption{color:var(--soft)}
.lead{font-size:1.05rem}
caption{text-align:left;font-size:.9rem;padding:0 0 10px;max-width:none}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px 18px;margin:14px 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;text-align:right;font-weight:400;vertical-align:middle}
thead th{color:var(--soft);font-size:.82rem;border-bottom:1px solid var(--rule);vertical-align:bottom;line-height:1.3}
tbody th{text-align:left}
tbody tr+tr>*{border-top:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left;padding-left:2px}
th[scope=rowgroup]{color:var(--soft);font-size:.82rem;padding-top:20px;text-align:left}
tbody+tbody tr:first-child>*{border-top:1px solid var(--rule)}
.arm{font-weight:600}
.interval,.p{display:block;color:var(--soft);font-size:.8rem;white-space:nowrap}
.value{white-space:nowrap}
.plot{width:34%;padding:0 4px}td.plot{overflow:hidden}
sup{color:var(--soft);font-size:.7em;line-height:0;margin-left:2px}
.surely{font-weight:600}
.scroll{overflow-x:auto}
.scroll th:first-child{position:sticky;left:0;background:var(--card)}
.details th,.details td{white-space:nowrap;font-size:.9rem;padding-left:7px;padding-right:7px}.details thead th{white-space:normal}
.remarks{margin:12px 0 0;padding-left:20px;font-size:.86rem;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,500px),1fr));gap:14px}
.figures .card{margin:0}
figure{margin:0}figcaption{font-size:.92rem;margin-bottom:8px}figcaption strong{color:var(--ink);display:block}
svg{display:block;max-width:100%;height:auto;font-size:12px}
svg text{fill:var(--ink)}svg .tick,svg .axis,.forest text{fill:var(--soft)}
.forest{width:100%;overflow:visible}
svg.forest{height:30px}thead svg.forest{height:18px}
.grid{stroke:var(--grid);stroke-width:1}.ground{stroke:var(--rule);stroke-width:1}
.ensemble,.baseline{stroke:var(--soft);stroke-width:1}.ensemble{stroke-dasharray:5 3}.baseline{stroke-dasharray:1.5 2.5}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}
[class^=c] circle,[class^=c] path{fill:currentColor}
.whisker{stroke:currentColor;stroke-width:1.6}
.line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
.leader{fill:none;stroke:currentColor;stroke-width:.8;opacity:.55}
.faint{stroke:currentColor;stroke-width:1.4;opacity:.35}
.break{stroke:var(--soft);stroke-width:1.2}
svg g text{paint-order:stroke;stroke:var(--card);stroke-width:3px;stroke-linejoin:round}
.narrow{display:none}
details{margin:14px 0}summary{cursor:pointer;color:var(--soft)}
code{font:.84em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;white-space:normal}
pre{margin:8px 0;white-space:pre-wrap}
footer{padding-top:28px;padding-bottom:48px;font-size:.88rem}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
@media (max-width:699px){
header,main,footer{padding-left:12px;padding-right:12px}header{padding-top:26px}
.card{padding:12px}
.wide{display:none}.narrow{display:block}
.rates,.rates tbody,.rates caption{display:block}
.rates thead{display:block}.rates thead tr{display:block}.rates thead th{display:none}.rates thead th.plot{display:block;text-align:left}
.rates tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 10px;padding:9px 0}
.rates tbody tr+tr{border-top:1px solid var(--grid)}
.rates tbody tr+tr>*{border-top:0}
.rates th,.rates td{padding:0;min-width:0}
.rates .plot{grid-column:1/-1;width:auto;padding:0}
.rates th[scope=rowgroup]{grid-column:1/-1;padding-top:8px}
.rates .versus{text-align:left;font-size:.9rem}.rates .versus+.versus{text-align:right}
.rates .versus::before{content:attr(data-label);display:block;color:var(--soft);font-size:.76rem}
.rates .interval,.rates .p{white-space:normal}
.details tbody th:first-child{white-space:normal;max-width:38vw}
}
@media print{body{background:#fff}.card{break-inside:avoid}}
`;
