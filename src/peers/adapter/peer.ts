import type { Json } from "../../format/mod.ts";
import { ShapeError } from "../answers.ts";
import { type Answers, ForwardingPeer } from "../forwarding.ts";
import {
  type DigestScope,
  type Outcome,
  type PeerDescription,
  PeerError,
  type Subject,
  unsupported,
} from "../peer.ts";
import { readAnswer } from "./answer.ts";
import { type AdapterRequest, needsOf, requestFor } from "./request.ts";
import { problemsOfAnswer, problemsOfEnvelope, problemsOfRequest } from "./schemas.ts";

/** Options of each way to call an adapter. */
export interface AdapterOptions {
  /** Milliseconds that one answer may take. */
  readonly timeoutMs?: number;
  /** Compares each request and each answer with the schemas of the protocol. */
  readonly strict?: boolean;
}

/** An implementation that is connected by an adapter, whichever way the adapter is called. */
export abstract class AdapterPeer extends ForwardingPeer {
  readonly #isStrict: boolean;
  #description: Promise<PeerDescription> | undefined;

  /** A peer whose adapter is not started yet. */
  constructor({ strict = false }: AdapterOptions) {
    super();
    this.#isStrict = strict;
  }

  /**
   * Name, version and operations of the implementation.
   *
   * @throws {PeerError} when the adapter cannot be started, or answers with something else
   */
  describe(): Promise<PeerDescription> {
    return this.#description ??= this.describeOnce();
  }

  /** Asks the adapter what it is. */
  protected abstract describeOnce(): Promise<PeerDescription>;

  /**
   * Hands a request to the adapter.
   *
   * @param read reads the value of an answer; throws a `ShapeError`
   */
  protected abstract answer<T>(
    request: AdapterRequest,
    subject: Subject,
    read: (json: Json) => T,
  ): Promise<Outcome<T>>;

  /** Asks the adapter. */
  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope: DigestScope = {},
  ): Promise<Outcome<Answers[O]>> {
    const request = requestFor(operation, subject, scope);
    if (request === undefined) {
      return unsupported("The adapter interface cannot read a range of a snapshot");
    }
    return await this.send(request, subject, (json) => readAnswer(operation, json));
  }

  /** Sends a request, if the adapter accepts all that it needs. */
  protected async send<T>(
    request: AdapterRequest,
    subject: Subject,
    read: (json: Json) => T,
  ): Promise<Outcome<T>> {
    const needs = needsOf(request);
    const { takes = [] } = needs.length > 0 ? await this.describe() : {};
    const need = needs.find((it) => !takes.includes(it));
    if (need !== undefined) {
      const what = need === "header" ? "detached LUKS headers" : need;
      return unsupported(`The adapter does not declare support for ${what}`);
    }
    this.checkRequest(request);
    return await this.answer(request, subject, (json) => {
      this.checkStrictly(request.operation, json);
      return read(json);
    });
  }

  /**
   * Compares a request with its schema.
   *
   * @throws {PeerError} for a request that does not match its schema, where that is checked: a fault of
   *   diskproof
   */
  protected checkRequest(request: AdapterRequest): void {
    const [problem] = this.#isStrict ? problemsOfRequest({ id: "0", ...request }) : [];
    if (problem !== undefined) throw new PeerError(`diskproof breaks the protocol: ${problem}`);
  }

  /**
   * Compares an answer with its schema.
   *
   * @throws {ShapeError} for an answer that does not match its schema, where that is checked
   */
  protected checkStrictly(operation: AdapterRequest["operation"] | "hello", json: Json): void {
    const [problem] = this.#isStrict ? problemsOfAnswer(operation, json) : [];
    if (problem !== undefined) throw new ShapeError(problem);
  }

  /**
   * Compares the line around an answer with its schema.
   *
   * @throws {ShapeError} for a line that does not match its schema, where that is checked
   */
  protected checkEnvelope(json: Json): void {
    const [problem] = this.#isStrict ? problemsOfEnvelope(json) : [];
    if (problem !== undefined) throw new ShapeError(problem);
  }
}
