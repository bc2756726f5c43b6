/** Substitutes the words of consecutive blocks in place. */
export type Substitution = (words: Int32Array) => void;

/**
 * The S-boxes S0 to S7 of Serpent as circuits over words: bit i of the four words of a block is the
 * i-th of its 32 inputs of four bits, with the lowest bit of each in the first word.
 *
 * The circuits, of 13 to 17 gates, were found by a beam search over sets of truth tables, from the
 * tables of the submission of 1998.
 */
export const substitutions: readonly Substitution[] = [
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a ^ d,
        f = c ^ e,
        g = b ^ f,
        h = b & e,
        j = a ^ h,
        k = a & d,
        l = g ^ k,
        m = c | j,
        n = f ^ j,
        o = l & n,
        p = j ^ o,
        q = ~p,
        r = n ^ q,
        s = g ^ m;
      words[i] = q;
      words[i + 1] = r;
      words[i + 2] = s;
      words[i + 3] = l;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = ~b,
        f = a | e,
        g = c ^ f,
        h = d ^ g,
        j = a ^ e,
        k = h | j,
        l = b ^ k,
        m = g | l,
        n = j ^ m,
        o = g & j,
        p = l ^ o,
        q = h ^ n,
        r = p ^ q,
        s = p & r,
        t = g ^ s;
      words[i] = t;
      words[i + 1] = q;
      words[i + 2] = h;
      words[i + 3] = r;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a & c,
        f = d ^ e,
        g = b ^ f,
        h = f & g,
        j = c ^ g,
        k = a ^ h,
        l = j ^ k,
        m = f & k,
        n = c ^ m,
        o = l | n,
        p = f ^ o,
        q = n ^ p,
        r = ~l;
      words[i] = j;
      words[i + 1] = p;
      words[i + 2] = q;
      words[i + 3] = r;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a | d,
        f = a & d,
        g = c & e,
        h = b | f,
        j = g ^ h,
        k = a & b,
        l = a ^ j,
        m = c ^ f,
        n = e ^ k,
        o = m | n,
        p = h ^ o,
        q = n | p,
        r = j ^ q,
        s = l | r,
        t = n ^ s,
        u = r ^ t;
      words[i] = u;
      words[i + 1] = l;
      words[i + 2] = r;
      words[i + 3] = p;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = a ^ d,
        f = d & e,
        g = c ^ f,
        h = b | g,
        j = e ^ h,
        k = d ^ g,
        l = b & j,
        m = g ^ l,
        n = k | m,
        o = b ^ n,
        p = ~m,
        q = j & p,
        r = k | q,
        s = o ^ r,
        t = e ^ o;
      words[i] = p;
      words[i + 1] = s;
      words[i + 2] = t;
      words[i + 3] = j;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = ~d,
        f = b ^ e,
        g = a ^ b,
        h = f | g,
        j = c ^ h,
        k = b ^ j,
        l = e & k,
        m = g ^ l,
        n = f | k,
        o = b ^ n,
        p = j | l,
        q = g & m,
        r = o ^ q,
        s = g & o,
        t = p ^ s;
      words[i] = k;
      words[i + 1] = m;
      words[i + 2] = r;
      words[i + 3] = t;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = ~d,
        f = a ^ d,
        g = e | f,
        h = c ^ g,
        j = b ^ h,
        k = b & j,
        l = a | h,
        m = f | k,
        n = j & m,
        o = l ^ m,
        p = d ^ n,
        q = c ^ f,
        r = l ^ p,
        s = b | p,
        t = q ^ s,
        u = b ^ o;
      words[i] = u;
      words[i + 1] = j;
      words[i + 2] = r;
      words[i + 3] = t;
    }
  },
  (words) => {
    for (let i = 0; i < words.length; i += 4) {
      const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
      const e = b ^ c,
        f = c & e,
        g = d ^ f,
        h = a ^ g,
        j = a & h,
        k = e ^ j,
        l = j & k,
        m = b ^ l,
        n = h ^ m,
        o = g | n,
        p = h ^ o,
        q = k & p,
        r = g ^ q,
        s = k & r,
        t = ~s,
        u = p ^ t;
      words[i] = u;
      words[i + 1] = n;
      words[i + 2] = r;
      words[i + 3] = k;
    }
  },
];
