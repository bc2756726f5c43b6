import { md5, sha1 } from "@noble/hashes/legacy.js";
import { type CHash, createHasher, type Hash } from "@noble/hashes/utils.js";

/** Both hashes of the same message, one digest after the other (RFC 4346, section 4.7). */
class Md5Sha1 implements Hash<Md5Sha1> {
  readonly blockLen = md5.blockLen;
  readonly outputLen = md5.outputLen + sha1.outputLen;
  readonly canXOF = false;
  readonly #md5 = md5.create();
  readonly #sha1 = sha1.create();

  update(bytes: Uint8Array): this {
    this.#md5.update(bytes);
    this.#sha1.update(bytes);
    return this;
  }

  digestInto(target: Uint8Array): void {
    this.#md5.digestInto(target.subarray(0, md5.outputLen));
    this.#sha1.digestInto(target.subarray(md5.outputLen, this.outputLen));
  }

  digest(): Uint8Array<ArrayBuffer> {
    const digest = new Uint8Array(this.outputLen);
    this.digestInto(digest);
    this.destroy();
    return digest;
  }

  _cloneInto(to: Md5Sha1 = new Md5Sha1()): Md5Sha1 {
    this.#md5._cloneInto(to.#md5);
    this.#sha1._cloneInto(to.#sha1);
    return to;
  }

  clone(): Md5Sha1 {
    return this._cloneInto();
  }

  destroy(): void {
    this.#md5.destroy();
    this.#sha1.destroy();
  }
}

/** MD5 and SHA-1 together, as TLS before 1.2 signs them. */
export const md5Sha1: CHash<Md5Sha1> = createHasher(() => new Md5Sha1());
