#!/bin/bash
# Builds the fuzz targets in an image of ClusterFuzzLite or OSS-Fuzz: from $SRC/diskproof to $OUT.
set -euo pipefail
cd "$SRC/diskproof"

version=$(grep -oEm1 'deno@[0-9.]+[0-9]' README.md)
npx -y "$version" task jazzer

# Node has zstd since 22.15, which is newer than that of the image.
arch=$(node -p process.arch)
npm install --prefix "$OUT" --no-audit --no-fund "node-linux-$arch@24" @jazzer.js/core@4.0.0
cc -O2 -shared -fPIC -o "$OUT/diskproof_mutator.so" examples/custom-mutator/diskproof_mutator.c
cp dist/jazzer/*.mjs dist/jazzer/*.dict dist/jazzer/*.options "$OUT/"

for module in dist/jazzer/*.mjs; do
  name=$(basename "$module" .mjs)
  [ "$name" != mutator ] || continue
  (cd "dist/jazzer/${name}_seeds" && zip -qr "$OUT/${name}_seed_corpus.zip" .)
  # An image is edited by diskproof: libFuzzer calls the custom mutator of a preloaded library.
  preload=
  case $name in
    *_image)
      preload="LD_PRELOAD=\"\$here/diskproof_mutator.so\" \
DISKPROOF_MUTATE=\"'\$node' '\$here/mutator.mjs' ${name%_image}\""
      ;;
  esac
  cat > "$OUT/$name" <<WRAPPER
#!/bin/bash
# LLVMFuzzerTestOneInput: by this word, ClusterFuzz finds fuzz targets.
here=\$(cd "\$(dirname "\$0")" && pwd)
node=\$here/node_modules/node-linux-$arch/bin/node
exec env $preload "\$node" "\$here/node_modules/@jazzer.js/core/dist/cli.js" \\
  "\$here/$name.mjs" --sync -- "\$@"
WRAPPER
  chmod +x "$OUT/$name"
done
