/**
 * Goes to the directory that the user is in. `deno task` runs from the folder of deno.json, whatever
 * folder the user is in, and leaves that one in INIT_CWD; everywhere else the working directory is the
 * user's own.
 */
export function enterUsersDirectory(): void {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "INIT_CWD" });
  const typedIn = state === "granted" ? Deno.env.get("INIT_CWD") : undefined;
  if (typedIn === undefined || !inProjectFolder()) return;
  try {
    Deno.chdir(typedIn);
  } catch {
    // It is gone, or may not be read: names are then relative to the folder of deno.json.
  }
}

function inProjectFolder(): boolean {
  const project = new URL("../../", import.meta.url);
  if (project.protocol !== "file:") return false;
  try {
    return Deno.realPathSync(project) === Deno.realPathSync(".");
  } catch {
    return false;
  }
}
