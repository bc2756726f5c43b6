import type { Substitution } from "./serpent_boxes.ts";

/** The inverses of the S-boxes S0 to S7 of Serpent as circuits, found in the same way. */
export const inverseSubstitutions: readonly Substitution[] = [
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a | b,
        f = c ^ e,
        g = a ^ b,
        h = ~d,
        j = f ^ h,
        k = d | g,
        l = a ^ k,
        m = f | l,
        n = h ^ m,
        o = g ^ n,
        p = l ^ o,
        q = f ^ p,
        r = o & q,
        s = l ^ r,
        t = ~s;
      words[i] = o;
      words[i + 1] = t;
      words[i + 2] = j;
      words[i + 3] = q;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = b & d,
        f = a ^ e,
        g = d ^ f,
        h = c ^ g,
        j = b ^ f,
        k = c & j,
        l = f ^ k,
        m = h | l,
        n = j ^ m,
        o = ~n,
        p = h | o,
        q = l ^ p,
        r = o | q,
        s = g ^ r;
      words[i] = q;
      words[i + 1] = n;
      words[i + 2] = s;
      words[i + 3] = h;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = b ^ c,
        f = a ^ d,
        g = d ^ e,
        h = d | e,
        j = c ^ h,
        k = f & j,
        l = g ^ k,
        m = ~j,
        n = a ^ l,
        o = b | g,
        p = m ^ n,
        q = f ^ o,
        r = p & q,
        s = m ^ r;
      words[i] = q;
      words[i + 1] = l;
      words[i + 2] = p;
      words[i + 3] = s;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = b ^ c,
        f = b & e,
        g = a ^ f,
        h = d | g,
        j = e ^ h,
        k = b ^ g,
        l = d ^ k,
        m = g & l,
        n = k ^ m,
        o = j | n,
        p = g ^ o,
        q = h & j,
        r = l ^ q,
        s = p ^ q,
        t = n ^ s;
      words[i] = j;
      words[i + 1] = p;
      words[i + 2] = r;
      words[i + 3] = t;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = c ^ d,
        f = a & c,
        g = e | f,
        h = b ^ g,
        j = a & h,
        k = e ^ j,
        l = d & k,
        m = a ^ l,
        n = d ^ h,
        o = m ^ n,
        p = ~o,
        q = k & m,
        r = h ^ q,
        s = p | r,
        t = n ^ s;
      words[i] = p;
      words[i + 1] = k;
      words[i + 2] = t;
      words[i + 3] = r;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a & d,
        f = c ^ e,
        g = b & f,
        h = d ^ g,
        j = a ^ h,
        k = a & j,
        l = ~b,
        m = b ^ h,
        n = k | l,
        o = f ^ n,
        p = a & o,
        q = m ^ p,
        r = j | q,
        s = f ^ r,
        t = d ^ s,
        u = b ^ t;
      words[i] = j;
      words[i + 1] = q;
      words[i + 2] = u;
      words[i + 3] = o;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = b | c,
        f = a ^ e,
        g = c & f,
        h = d ^ g,
        j = ~h,
        k = b ^ j,
        l = f ^ j,
        m = f & k,
        n = l | m,
        o = c ^ n,
        p = j & o,
        q = k | p,
        r = f ^ q,
        s = o & r,
        t = h ^ s;
      words[i] = r;
      words[i + 1] = k;
      words[i + 2] = t;
      words[i + 3] = o;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a & b,
        f = c | e,
        g = a | b,
        h = d & g,
        j = f ^ h,
        k = ~j,
        l = d ^ k,
        m = b ^ h,
        n = l | m,
        o = a ^ n,
        p = a & k,
        q = d | o,
        r = c ^ q,
        s = m ^ r,
        t = f ^ p,
        u = n ^ s,
        v = t ^ u;
      words[i] = s;
      words[i + 1] = o;
      words[i + 2] = v;
      words[i + 3] = j;
    }
  },
];
