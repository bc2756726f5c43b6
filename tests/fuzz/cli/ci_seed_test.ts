import { assertEquals, assertMatch } from "@std/assert";

const SEED = new URL("../../../.ci/seed", import.meta.url).pathname;

interface Printed {
  readonly status: number;
  readonly stdout: string;
}

/** Runs a shell script, without GITHUB_SHA where no other value is given. */
async function sh(script: string, env: Readonly<Record<string, string>> = {}): Promise<Printed> {
  const { code, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", `unset GITHUB_SHA; ${assigned(env)} ${script}`],
    stderr: "null",
  }).output();
  return { status: code, stdout: new TextDecoder().decode(stdout) };
}

function assigned(env: Readonly<Record<string, string>>): string {
  return Object.entries(env).map(([name, value]) => `export ${name}='${value}';`).join(" ");
}

Deno.test("the seed of a run in CI is the commit that GitHub names", async () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const { status, stdout } = await sh(`exec ${SEED}`, { GITHUB_SHA: commit });
  assertEquals([status, stdout], [0, `${commit}\n`]);
});

Deno.test("the seed of a run elsewhere is the commit of a clone that another user owns", async () => {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    const script = `set -e; cd ${directory}; mkdir .ci; cp ${SEED} .ci/seed; git init -q .;
      git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one;
      [ "$(id -u)" != 0 ] || chown -R 65534 .; HOME=/ .ci/seed`;
    const { status, stdout } = await sh(script);
    assertEquals(status, 0);
    assertMatch(stdout, /^[0-9a-f]{40}\n$/);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("without a commit there is no seed, rather than an empty one", async () => {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    const { status, stdout } = await sh(
      `cd ${directory}; mkdir .ci; cp ${SEED} .ci/seed; GIT_CEILING_DIRECTORIES=/tmp .ci/seed`,
    );
    assertEquals(stdout, "");
    assertEquals(status === 0, false);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
