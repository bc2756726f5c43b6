import * as fc from "fast-check";
import { qcow2Models } from "/work/main/fuzz/generate/qcow2.ts";
import { editLists, resolveDraws, applyEdits, describeEdit } from "/work/main/fuzz/mutate/mod.ts";
import { buildQcow2 } from "/work/main/src/qcow2/build/mod.ts";
import { SegmentSource } from "/work/main/src/bytes/mod.ts";
import { withScratch } from "/work/main/src/peers/mod.ts";
import { writeRowImage, askQemu } from "/work/main/tests/rules/live.ts";
import { judged, isComparable } from "/work/main/tests/rules/judged.ts";
const seed=Number(Deno.args[0]), runs=Number(Deno.args[1]);
const cases=fc.sample(fc.tuple(qcow2Models({clusterBitsMax:14}), editLists()), {seed, numRuns:runs});
let bad=0,n=0; const t0=Date.now();
for (const [m,d] of cases) { if (m.size>2n**40n || m.backing || m.dataFile) continue;
  const b=buildQcow2(m).image; if (b.size>2**24) continue; const edits=resolveDraws(b,d,2**m.clusterBits); const src=applyEdits(b,edits); if (src.size>2**25) continue; n++;
  const img={image:src,stored:src.size,files:{},format:"qcow2" as const};
  try { const x=await judged(img);
  if (x.rules.some(r=>/not-followed|backing|datafile/.test(r))) continue;
  const qs=(["info","read","check","content","write"] as const).filter(q=>q!=="content"||isComparable(x));
  const a=await withScratch(async dd=>{await writeRowImage(dd,img); return await askQemu(dd,qs);});
  const diffs:string[]=[];
  const mayRefuse = x.rules.some(r=>r.startsWith("qcow2.write."))|| x.rules.includes("qcow2.header.dirty-repair");
  for (const o of ["info","read","write"] as const) if (a.refused[o]!==x.refused[o] && !(o==="write"&&mayRefuse)) diffs.push(`${o}: qemu ${a.refused[o]?"refuses":"opens"}`);
  if (JSON.stringify(a.check)!==JSON.stringify(x.qemu.check)) diffs.push(`check qemu ${JSON.stringify(a.check)} ours ${JSON.stringify(x.qemu.check)}`);
  if (a.content!==undefined && a.content!==(x.digest??null)) diffs.push(`content ${a.content} ${x.digest}`);
  if (diffs.length) {bad++; console.log(edits.map(describeEdit).join(", "),"=>",diffs.join("; "),"|",x.rules.join());}
  } catch(e){bad++; console.log("ERR",edits.map(describeEdit).join(", "),String(e).slice(0,400));}
}
console.log("n",n,"bad",bad,(Date.now()-t0)/1000);
