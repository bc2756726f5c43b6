import type { Members } from "../answers.ts";

/** What a worker has of its global object. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerMessage>) => void) | null;
  postMessage(answer: Members): void;
}

/** The file of an adapter, or a request to it. */
export type WorkerMessage = { readonly load: string } | { readonly request: Members };

const scope = globalThis as unknown as WorkerScope;
let adapter: Promise<Record<string, unknown>> | undefined;

scope.onmessage = async ({ data }) => {
  if ("load" in data) {
    adapter = import(data.load).then((module) => module.default ?? {});
    // An error is the answer to the first request.
    adapter.catch(() => {});
    return;
  }
  scope.postMessage({ id: data.request["id"] ?? null, ...await answer(data.request) });
};

async function answer(request: Members): Promise<Members> {
  try {
    const methods = await adapter ?? {};
    const method = methods[String(request["operation"])];
    if (typeof method !== "function") return { unsupported: `no method ${request["operation"]}` };
    return { ...await method.call(methods, request) };
  } catch (error) {
    return { crashed: error instanceof Error ? error.stack ?? error.message : `${error}` };
  }
}
