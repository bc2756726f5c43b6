/**
 * Enters the user's folder. `deno task` runs in the folder of deno.json and puts the user's folder into
 * INIT_CWD; otherwise the working directory is the user's already.
 */
export function enterUsersDirectory(): void {
  const typedIn = usersDirectory();
  if (typedIn === undefined) return;
  try {
    Deno.chdir(typedIn);
  } catch {
    // It does not exist or cannot be read: names are relative to the folder of deno.json.
  }
}

/** The user's folder, if it is not the working directory. */
export function usersDirectory(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "INIT_CWD" });
  const typedIn = state === "granted" ? Deno.env.get("INIT_CWD") : undefined;
  return typedIn !== undefined && inProjectFolder() ? typedIn : undefined;
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
