/** What cryptsetup's tests expect of an IV generator. */
export interface IvVector {
  readonly generator: string;
  readonly hash?: string;
  /** The number of the first sector, in units of 512 bytes. */
  readonly firstSector: bigint;
  /** SHA-256 of 8192 zero bytes when encrypted, by the bytes in a sector. */
  readonly digests: Readonly<Record<number, string>>;
}

/** The key of all vectors, for AES in CBC mode. */
export const ivVectorKey = "2b7e151628aed2a6abf7158809cf4f3c";

/**
 * cryptsetup 2.8, tests/crypto-vectors.c, `cipher_iv_test_vectors`: those in which vectors are counted
 * in units of 512 bytes.
 */
export const ivVectors: readonly IvVector[] = [
  {
    generator: "null",
    firstSector: 2n ** 32n - 8n,
    digests: {
      512: "fd05d04d51b9d487a4579a620739c94a00903eafe8b2ac12caeb58f948f6ef08",
      1024: "55875cde866a8bab08be5b381753dfe57eb95f59af07a4ca6a24d112a91525f4",
      2048: "555b8e74909d0d4b748c167e29cfa9a3f3428b62da2d8cdac932c878e27ed270",
      4096: "c645bae0403a96095e460d199d584b9378c53fa42e9eb019044b7326f4a6b5c3",
    },
  },
  {
    generator: "plain",
    firstSector: 2n ** 32n - 8n,
    digests: {
      512: "43fd6e2580b213f5ca717918e41291e06e372432fd404b42cbc1721ac75a19c8",
      1024: "18798dadf27b380327a5761907cd1262033657858850d06cf6dff1cfb8cf0177",
      2048: "a48972b9cf780c2ac8204fd513cb753090d24afdd3b2e8f0d2b79d07bda97097",
      4096: "121b00546e2d08c1158b1557c511308b633364a0d145d6cbdd49910429e69308",
    },
  },
  {
    generator: "plain64",
    firstSector: 2n ** 32n - 8n,
    digests: {
      512: "b3657e6cbae039cd1e1daf65aeb7da2025176a387579684c9a75c7fb2ba217d2",
      1024: "0aa3237280d376338b2bae010399a5cacd95274027ec1490fd58b0089b9927e2",
      2048: "6787ebede116850a3fb25cbc27619952fe64b9ab24dd2c1a2cffcd7e2e74b5d4",
      4096: "b2f10e66d4584e93e798ae9c3ea7adf2931aaa3cc49012050058258f1f5dc667",
    },
  },
  {
    generator: "plain64be",
    firstSector: 2n ** 32n - 8n,
    digests: {
      512: "28bf09e168cc051b20af8d0136218a8d7a9498a899e9f466d8b799ca04588390",
      1024: "9b74f7d55a6bb23ad209dd805928708f3a61f214c30da8d7d9cb5726738893d2",
      2048: "944fc8b4feaddc56f062008d520b2d58c005d61d4735c66a42ec98ee21747be5",
      4096: "a8175d84c816067fa268dd1e7d6334937b452df4100b90fa148b7386bc094ae3",
    },
  },
  {
    generator: "essiv",
    hash: "sha256",
    firstSector: 0n,
    digests: {
      512: "a53e74c41a5cf36b6349d5d9bb7a895ad53e766f4c2d0bd38b5e0e91a38c2ade",
      1024: "416bc6752e9976a183ead597640e248c91170338e7d86664aad727502ad30be6",
      2048: "84dc45d36103a851855beff8926b12062cfe753ecf28d18b4dcb889e31b00b92",
      4096: "bb1ba3a941bf17d87619088e3f50edfd571dd2c28a3201b9d98acc0da0658b6d",
    },
  },
  {
    generator: "benbi",
    firstSector: 0n,
    digests: {
      512: "3ce394e36d685bdb5a8d71bfd3a668b91f330f97e2d6e8e2e1fc7e8028f173bd",
      1024: "0f27a7ae319e71021216445fbbc6cb78d48449e0888504bf6dea607698340a7e",
      2048: "b09ae5315f2e9d1304082a02713ddb5db2c9685bdcd138c296b33b72da9dcbe6",
      4096: "aa747dd673a777e17fb976f75ccfc0b7fa7bed15c2327c27bb35fcfe12ee142d",
    },
  },
  {
    generator: "eboiv",
    firstSector: 0n,
    digests: {
      512: "044e929f7966fe931ba5b802fe7ef9267b6439e7b3cac46eca27a02fe2ea9116",
      1024: "b04aa4b5d6457a86e9433dd601f7688ee6818d5055188e4bb6a789dfe24b94e2",
      2048: "d4001f2618d16dd5c4bf4a1330aed74b331ed5e8432d9584673904515f1f49e4",
      4096: "d1d74f709aa0222760db405a84ce892c4f9855d22dd1ea9e47ae8a83b590bb49",
    },
  },
];
