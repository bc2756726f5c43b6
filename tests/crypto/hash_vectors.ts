/** Digests of three messages. */
export interface HashAnswers {
  readonly hash: string;
  /** Of no bytes. */
  readonly empty: string;
  /** Of "abc". */
  readonly abc: string;
  /** Of the digits 1 to 9 and 0, eight times. */
  readonly digits: string;
}

/**
 * The messages of RFC 1321, appendix A.5, that all publications of these hashes share; the digests are
 * those of the publications, and the same as OpenSSL 3.0 gives (Whirlpool: libgcrypt 1.10).
 */
export const hashAnswers: readonly HashAnswers[] = [
  {
    hash: "md5",
    empty: "d41d8cd98f00b204e9800998ecf8427e",
    abc: "900150983cd24fb0d6963f7d28e17f72",
    digits: "57edf4a22be3c955ac49da2e2107b67a",
  },
  {
    hash: "sha1",
    empty: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    abc: "a9993e364706816aba3e25717850c26c9cd0d89d",
    digits: "50abf5706a150990a08b2c5ea40fa0e585554732",
  },
  {
    hash: "sha224",
    empty: "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
    abc: "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    digits: "b50aecbe4e9bb0b57bc5f3ae760a8e01db24f203fb3cdcd13148046e",
  },
  {
    hash: "sha256",
    empty: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    digits: "f371bc4a311f2b009eef952dd83ca80e2b60026c8e935592d0f9c308453c813e",
  },
  {
    hash: "sha384",
    empty: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da" +
      "274edebfe76f65fbd51ad2f14898b95b",
    abc: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed" +
      "8086072ba1e7cc2358baeca134c825a7",
    digits: "b12932b0627d1c060942f5447764155655bd4da0c9afa6dd9b9ef53129af1b8f" +
      "b0195996d2de9ca0df9d821ffee67026",
  },
  {
    hash: "sha512",
    empty: "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" +
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    abc: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    digits: "72ec1ef1124a45b047e8b7c75a932195135bb61de24ec0d1914042246e0aec3a" +
      "2354e093d76f3048b456764346900cb130d2a4fd5dd16abb5e30bcb850dee843",
  },
  {
    hash: "ripemd160",
    empty: "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    abc: "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    digits: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
  },
  {
    hash: "sm3",
    empty: "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    abc: "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    digits: "ad81805321f3e69d251235bf886a564844873b56dd7dde400f055b7dde39307a",
  },
  {
    hash: "whirlpool",
    empty: "19fa61d75522a4669b44e39c1d2e1726c530232130d407f89afee0964997f7a7" +
      "3e83be698b288febcf88e3e03c4f0757ea8964e59b63d93708b138cc42a66eb3",
    abc: "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c" +
      "7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5",
    digits: "466ef18babb0154d25b9d38a6414f5c08784372bccb204d6549c4afadb601429" +
      "4d5bd8df2a6c44e538cd047b2681a51a2c60481e88c5a20b2c2a80cf3a9a083b",
  },
  {
    hash: "sha512-224",
    empty: "6ed0dd02806fa89e25de060c19d3ac86cabb87d6a0ddd05c333b84f4",
    abc: "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    digits: "ae988faaa47e401a45f704d1272d99702458fea2ddc6582827556dd2",
  },
  {
    hash: "sha512-256",
    empty: "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a",
    abc: "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    digits: "2c9fdbc0c90bdd87612ee8455474f9044850241dc105b1e8b94b8ddf5fac9148",
  },
  {
    hash: "sha3-224",
    empty: "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7",
    abc: "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    digits: "0526898e185869f91b3e2a76dd72a15dc6940a67c8164a044cd25cc8",
  },
  {
    hash: "sha3-256",
    empty: "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
    abc: "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    digits: "293e5ce4ce54ee71990ab06e511b7ccd62722b1beb414f5ff65c8274e0f5be1d",
  },
  {
    hash: "sha3-384",
    empty: "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a" +
      "c3713831264adb47fb6bd1e058d5f004",
    abc: "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2" +
      "98d88cea927ac7f539f1edf228376d25",
    digits: "3c213a17f514638acb3bf17f109f3e24c16f9f14f085b52a2f2b81adc0db83df" +
      "1a58db2ce013191b8ba72d8fae7e2a5e",
  },
  {
    hash: "sha3-512",
    empty: "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6" +
      "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
    abc: "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e" +
      "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    digits: "9524b9a5536b91069526b4f6196b7e9475b4da69e01f0c855797f224cd7335dd" +
      "b286fd99b9b32ffe33b59ad424cc1744f6eb59137f5fb8601932e8a8af0ae930",
  },
  {
    hash: "blake2b-512",
    empty: "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419" +
      "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
    abc: "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" +
      "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    digits: "686f41ec5afff6e87e1f076f542aa466466ff5fbde162c48481ba48a748d8427" +
      "99f5b30f5b67fc684771b33b994206d05cc310f31914edd7b97e41860d77d282",
  },
  {
    hash: "blake2s-256",
    empty: "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
    abc: "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
    digits: "fdaedb290a0d5af9870864fec2e090200989dc9cd53a3c092129e8535e8b4f66",
  },
  {
    hash: "md5-sha1",
    empty: "d41d8cd98f00b204e9800998ecf8427eda39a3ee5e6b4b0d3255bfef95601890afd80709",
    abc: "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d",
    digits: "57edf4a22be3c955ac49da2e2107b67a50abf5706a150990a08b2c5ea40fa0e585554732",
  },
];

/** A key derived from text. */
export interface DerivedKey {
  readonly hash: string;
  readonly password: string;
  readonly salt: string;
  readonly iterations: number;
  readonly key: string;
}

/** RFC 6070, section 2, except for the one with 16,777,216 iterations. */
export const rfc6070: readonly DerivedKey[] = [
  {
    hash: "sha1",
    password: "password",
    salt: "salt",
    iterations: 1,
    key: "0c60c80f961f0e71f3a9b524af6012062fe037a6",
  },
  {
    hash: "sha1",
    password: "password",
    salt: "salt",
    iterations: 2,
    key: "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
  },
  {
    hash: "sha1",
    password: "password",
    salt: "salt",
    iterations: 4096,
    key: "4b007901b765489abead49d926f721d065a429c1",
  },
  {
    hash: "sha1",
    password: "passwordPASSWORDpassword",
    salt: "saltSALTsaltSALTsaltSALTsaltSALTsalt",
    iterations: 4096,
    key: "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
  },
  {
    hash: "sha1",
    password: "pass\0word",
    salt: "sa\0lt",
    iterations: 4096,
    key: "56fa6aa75548099dcc37d7f03425e0c3",
  },
];

/** RFC 7914, section 11. */
export const rfc7914: readonly DerivedKey[] = [
  {
    hash: "sha256",
    password: "passwd",
    salt: "salt",
    iterations: 1,
    key: "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
      "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
  },
  {
    hash: "sha256",
    password: "Password",
    salt: "NaCl",
    iterations: 80000,
    key: "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" +
      "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
  },
];

/** cryptsetup 2.8, tests/crypto-vectors.c: passwords that are longer than a block of the hash. */
export const longPasswords: readonly DerivedKey[] = [
  {
    hash: "sha1",
    password: "X".repeat(65),
    salt: "pass phrase exceeds block size",
    iterations: 1200,
    key: "9ccad6d468770cd51b10e6a68721be611a8b4d282601db3b36be9246915ec82a",
  },
  {
    hash: "sha256",
    password: "X".repeat(65),
    salt: "pass phrase exceeds block size",
    iterations: 1200,
    key: "22344bc4b6e32675a8090f3ea80be01d5f95126a2cddc3facc4a5e6dca04ec58",
  },
  {
    hash: "sha512",
    password: "X".repeat(129),
    salt: "pass phrase exceeds block size",
    iterations: 1200,
    key: "0fb2ed2c0e6efb7d7d8edd5801b45972999216305ea4368d761480f3e37a22b9",
  },
  {
    hash: "whirlpool",
    password: "X".repeat(65),
    salt: "pass phrase exceeds block size",
    iterations: 1200,
    key: "9c1c74f58826e76a5358f40c39e7808907c031199a50a248f1d9fe7864e58450",
  },
];

/** OpenSSL 3.0 (Whirlpool: libgcrypt 1.10): no password, and a key longer than any digest. */
export const emptyPasswords: readonly DerivedKey[] = [
  {
    hash: "md5",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "5de5f0cfe4c83116c2b557170fed8ca6431777640b1b838ff98fe1305e300e59" +
      "556cfd7f653071d2bab5c69ece3c18936d207d87a0c1d9813ee979f79b6808946c0c0d31f256eec4",
  },
  {
    hash: "sha1",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "0cebfb1825d38ce91db4a69a0b9e776b2a2323eb4fcbcfdce402926cfc260d48" +
      "48301644901249dc7d5ae796a5d435eeb75dcde104cd4a6cb50ef5727a72e1857bd196dcb98d95dd",
  },
  {
    hash: "sha224",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "f1b505d4ab9ab0a558170c9e5384ca52cf337b1af42e6c82a8fd622a83dde3f8" +
      "b4b53f1c391ee4ec99027fe5f40f32d1b8e9a58d60cff720e0168de78e16a0ee6396fbb3eb09814e",
  },
  {
    hash: "sha256",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "5ddf839afa2d5fb4be56e1a0f48917617559bef61ec122bfca1c7f75ac8f401d" +
      "060b470b704034975a53c7c7eb727409dd53a038c71e2271bcf1b0cc3427533ce660c1f9b058243f",
  },
  {
    hash: "sha384",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "e6d0cf8b47c689cdbd07dd4b8bff90ec12a45093dbbd75fc757f0ded3138cbff" +
      "aa94db103ced88f89efc9b824e121b02f9fedc9019389684da0e0caa1477ee4ab730fa6f7bdeb994",
  },
  {
    hash: "sha512",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "35728858479af699c1690e989eba0d104c6c9d7ff67373a48e4f87e90cb55af7" +
      "71ac93458ee4ba4ac24f1e927bc4aba5bfed6aa82a752ad40403fbfd9575a46cac3cb73c1f1e395b",
  },
  {
    hash: "ripemd160",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "1d3e9738c447d01e771c36e229ebf7fa9cb93cfba6cf20f57f1b8a0252ce7229" +
      "6d7593ad6cec83e60c20fbbf046e7605de05383ed43d2b6c4744cf0d03ea3b100946aa66321b5591",
  },
  {
    hash: "sm3",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "f64e1dcfe8b2deeb5466e843c8d607b1f13b2aabf1a5a747100e4b2515aabf89" +
      "1d0bc8485fe44e8a2d5dbf494d97262521d757b500cdaf9771bf26a94ff6aea592d2312dd526f11e",
  },
  {
    hash: "whirlpool",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "89e31acb355993e2a4a45b8392e508a63eb8861b288f126024c1be976e7a853c" +
      "d2cddc8b9c15f06014de352dcd7f900da66f377b8d7b5d55628aab9b417b30c31fa7a1c616dd1541",
  },
  {
    hash: "sha512-224",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "ea0d4c6dc9079bbf21bbed8708ddcf18240a87f0366642df025427910ab4ee1e" +
      "b17a1b8a51738cbafab687d3a6d5eccdbfda92074be114fbae11316ba2557a6001e15650ccdf3c9f",
  },
  {
    hash: "sha512-256",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "0399f90251a6a97e65886e230c250e2db8b69a6e72d4a6cc6d872b8bf8548706" +
      "e24ab8c8d851cb3eaebd54b66ac61546ee9e990e050d4084ca8836b685573b93080a0a08cbe5f7da",
  },
  {
    hash: "sha3-224",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "347fcbf491aac11b87ae9f41f97766f0a7610e385a91eb85cef2e3fa55428c1a" +
      "1ab78ed2e08dc8ae5ad961180019f92c5593e7bb4c0bc670b89a25594b14245feefd7cd360fa56e1",
  },
  {
    hash: "sha3-256",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "14f7c2667e172280ff52c0464d67393e7549945efd165e9e87d9e270ff2ef959" +
      "cae67e83edb5cc0ca8116ad5c2e5a3bdb5f7e5c19a5a6a925ee1cbf49186213a94dd0b8e98474e38",
  },
  {
    hash: "sha3-384",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "7140c428ad2c8435a4aec71f4b9f0d8416487a180539636c8ade4fadc976f40b" +
      "f760d0292a1a82e76f5b9b4dadb8e4ae5d962d89089690fcb582c2c176adea3e2ae8e86a536faaf7",
  },
  {
    hash: "sha3-512",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "e213b7c9e15c5f546f581e1a5f278fd2dc48504b1144ea42de09a2f1da310a8d" +
      "4581d5cf2dd6a652a540c5e72071127d225a32b5416ccfbd2be931b662ab6c101253e0e45b0b19f8",
  },
  {
    hash: "blake2b-512",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "b3850acc824ac0f4919a7bd72e48f93ab1b554a9ef06549f76bda5b49bbd3bad" +
      "47ac87b4c64db16505b0ae704ab7abdd3623f680fbb03adb1a11380bd2e60b43d63682ca74c9833f",
  },
  {
    hash: "blake2s-256",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "0f0040447c62927dc08ec9729ea47b6dd279bec8b41fd3cb995fc6237660b4b6" +
      "2f8b289cd6d160141cfaabad04b1149731c93535a976c30918dd6f269779242653de33c940d793aa",
  },
  {
    hash: "md5-sha1",
    password: "",
    salt: "salt",
    iterations: 3,
    key: "aaca8f0cb85500f88b9d074df9ba6b5c3ce2a63bb009f60aad39d3ac71e0e55d" +
      "3cdb86fc0df7bd23afd4d46afd43e7f05fd0080242b46616ce8e31149755d35f9ce1b294c6e9e1fa",
  },
];
