/** The style of the report's page: light and dark as the reader's system is, and black on white in print. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:#1f2328;--dim:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--back:#fff;--good:#1a7f37;--warn:#9a6700;--bad:#cf222e;--link:#0969da}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--line:#3d444d;--soft:#151b23;--back:#0d1117;--good:#3fb950;--warn:#d29922;--bad:#f85149;--link:#4493f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:28px 24px 64px;background:var(--back);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:40px 0 10px;padding-bottom:6px;border-bottom:1px solid var(--line)}h3{font-size:15px;margin:22px 0 6px}
p{margin:6px 0}.lead{font-size:16px;color:var(--dim)}.dim{color:var(--dim)}
a{color:var(--link)}nav{margin:10px 0 0}nav a{margin-right:14px;white-space:nowrap}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:10px;margin:18px 0}
dl div{border:1px solid var(--line);border-radius:8px;padding:8px 12px;background:var(--soft)}dt{color:var(--dim);font-size:12px}dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.proof{border-left:4px solid var(--good);background:var(--soft);padding:8px 12px;margin:14px 0;overflow-wrap:anywhere}.proof.broken{border-color:var(--bad);font-weight:600}
code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:8px 0}th,td{text-align:left;vertical-align:top;padding:4px 10px 4px 0;border-bottom:1px solid var(--line)}
th{font-size:12px;color:var(--dim);font-weight:600;white-space:nowrap}td{overflow-wrap:break-word}td.what{overflow-wrap:anywhere}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}tr.sum td{font-weight:600}.what{width:55%}
.tag{display:inline-block;border:1px solid currentColor;border-radius:10px;padding:0 8px;font-size:12px;font-weight:600;white-space:nowrap}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
details{border:1px solid var(--line);border-radius:8px;padding:6px 12px;margin:8px 0}summary{cursor:pointer}summary .tag{margin-right:6px}
svg{max-width:100%;height:auto}ul{padding-left:20px}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--line:#bbb;--soft:#fff;--back:#fff;--good:#116329;--warn:#7d4e00;--bad:#a40e26}
body{max-width:none;padding:0;font-size:10pt}nav{display:none}h2{break-after:avoid}tr,dl div{break-inside:avoid}thead{display:table-header-group}
details::details-content{content-visibility:visible;block-size:auto}summary{list-style:none}}
`
