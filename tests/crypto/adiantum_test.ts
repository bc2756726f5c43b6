import { assertEquals, assertThrows } from "@std/assert";
import { hexOf } from "../../src/bytes/mod.ts";
import { reasonUnusable, sectorCipher } from "../../src/crypto/mod.ts";
import { adiantum } from "../../src/crypto/adiantum.ts";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** One of the vectors that the authors of Adiantum published (github.com/google/adiantum). */
interface Vector {
  readonly rounds: 12 | 20;
  readonly key: string;
  readonly tweak: string;
  readonly plain: string;
  readonly cipher: string;
}

const VECTORS: readonly Vector[] = [
  {
    rounds: 12,
    key: "7fc7152ae1f5fda4176769aec92bba82a314e7cfadfd8540da7b7d24bdf17d07",
    tweak: "",
    plain: "9be382c65ac19fad4659b80bacc857a0",
    cipher: "820ae44477dd9a186f80288b25070e85",
  },
  {
    rounds: 12,
    key: "fa60e3250b4e123a25073b4c3e1c7837db0a16a544c8c77171cedc3e82cbf3fa",
    tweak: "e1e64d4ca5c74440c7546ba3544eb81b7f",
    plain: "6063deb6e2abae701abefd8e10c80b83d471e008d56c66cff229b9752e8da6",
    cipher: "a56c9b7608b51b213edd21fa6d67b483d646543d92fab95e1a74d95cabedbb",
  },
  {
    rounds: 12,
    key: "a52824341a3cd8f705918fee851f357f803dfc9b94f6fc9e190900a904314f11",
    tweak: "a1ba4995ff346db8cd875d5efdea85db8a7b5eb25d57dd62aca98c41429475b7",
    plain: [
      "69b4e88c37e86782f1ec5d04e5149113dff2871b69811d71709e9c3bde497011a0a3db0d544f6669d7db80a7",
      "709268ce81042cc6abaee56015e96fefaa8fa7a7638ff2f077f1a8eae1b71f9eab9e4b3f07875b6fcda8afb9",
      "fa700b52b8a8a79e075fa60eb39b791379c33e8d1c2c68c8511d3c7b7d79772a5665c5542328b003",
    ].join(""),
    cipher: [
      "9e16abed4ba7425ac6fb4e76ffbe03a00fe3adbae4982b0e2148a0b865482748845454b29a947be64b29e9cf",
      "0591801a3af34196851d9f74515663fa7c288549f72ff9f21846f53380a33cceb25793f5aebda9f57b30c493",
      "66e0307716e4a031ba70bc6813f5b09ac1fc7efe55805c4874a6aaa3acdcc2f58dde34867860758d",
    ].join(""),
  },
  {
    rounds: 12,
    key: "d381721823ff6f4a2574290d518a0e13c1535d308dee750d14d669c915a90c60",
    tweak: "659bd4a87d291df4c4d69b6a28ab64e2628197c581aaf944c1725982af16c82c",
    plain: [
      "c76b526a10f0cc09c1121d6d21a678f505a3696091369857ba0c14ccf32d7303c6b25fc81627375dd00b87b2",
      "50947b5804f4e07f6e578ec94184c1b17e4b91123a8b5d50827bcbd99ad94e1806239ed4a52098efb5dae5c0",
      "8a6a837715841eae78949ddfb7d1ea67aab01415fa672184d3412aceba4b4ae89562a955f080adbdabafdd4f",
      "a57c1336ed5e4f72ad4bf1d0884eec2c88105eea12c0160129a3a055aa68f3e99d3b0d3b6decf8a02df0908d",
      "1ce288d42471f9b3c19fc5d67670c52e9cacdb90bd8372ba6eb5a55383a9a5bf7d060e3c2ad204b51e193809",
      "16d2821f751856b8960ba6f9cf62d9325da9d71dece4df1bbef136eee37bb52feef8533d6ab770a9fc9c5725",
      "f28910d3b8a88c30ae234f0e13664fe1b6c0e4f8ef93bd6e15856be360811d68d731878909abd5961df36d67",
      "80ca07315da7e4fb3ef29b335218c830fe2dca1e79927a605cb65887a436a267928ba4b7f186dfdcc07e8f63",
      "d2a2dc78eb4fd89647cab891f9f794215f9a9f5bb840414b66696a72d0cb70b793b5379605374fe58ca75a4e",
      "8bb784eac7fc196e1f5aa1ac187d523bb3346299e49e31043fc08d84177c25485267112767bb5a85ca56b25c",
      "e6ecd5963d15fcfb2225f413e5934b9a77f15218fa165e490345a808fab34192795033cad0d74255c39a0c4e",
      "d9a43c86809f53d1a42ed1bcf1546e93a465998edf29c0646307bbea",
    ].join(""),
    cipher: [
      "1597d08618039c51c51136621392e6732979dea1003e0864171abcd5fe330e0c7c94a7c63cbeaca289e6bcdf",
      "0c33274246732fba4ea6468fe4ee39634265a3887aad3323a9a7207f0be66ac360da9eb4d6078a7726d1ab44",
      "9955035eed8d7bbdc821b721303fc0b5c8ec6c23a6a36df1300ad0a6a92869ae2ae654ac829d6a956f0644c5",
      "5a776eecf8f863b2e6aabd8e0e8a620003c884dd474ac355bab7e7df08bf62f5e8bcb611e4cbd0667432cfd4",
      "f8518039140512db8793e226309c3a21e5d038578015e4085805497de6927770fb1e2d6a8400c868f71addf0",
      "7b381ed82c787861cfe3de691fd503d51ab4cf03c87a706835b4f6be9062b2289986f54499eb31cfcadfd021",
      "d660f70f40b480b7abe19b45ba66daeedd04124098e169e52b9c5980e77bcc63a6c03aa9fe8af96211346194",
      "35fef299fdee19ea95b612bf1bdf021acc3e7e6578741050296328ea6babd4064d152431c70ac916b648f0bf",
      "49db6871318f87e2130564d6220cf83684243e695eb89e16736c831ee09f9ebae55921331ba926c2c7d93073",
      "b6a6738219fa444d408b69049474ea6eb30947012ab978344311edd68c95651b8567a540ac9c054b574aa996",
      "0fdd4fa1e0cf6ec71beda2b4568c096ea665d75581b7ed119b4075a86b56af168b3df4cbfed51d3d85c2c0de",
      "43394a96ba8897c0d6000e2721b02152baa737aaccbf95a8f4d091f6",
    ].join(""),
  },
  {
    rounds: 20,
    key: "7fc7152ae1f5fda4176769aec92bba82a314e7cfadfd8540da7b7d24bdf17d07",
    tweak: "",
    plain: "9be382c65ac19fad4659b80bacc857a0",
    cipher: "8899bb928f2bf9264eafdee237d431aa",
  },
  {
    rounds: 20,
    key: "fa60e3250b4e123a25073b4c3e1c7837db0a16a544c8c77171cedc3e82cbf3fa",
    tweak: "e1e64d4ca5c74440c7546ba3544eb81b7f",
    plain: "6063deb6e2abae701abefd8e10c80b83d471e008d56c66cff229b9752e8da6",
    cipher: "7a854d36024ecb426d6b2776071b86a5093bd8ae4651d3dfcad4c4dc387327",
  },
  {
    rounds: 20,
    key: "a52824341a3cd8f705918fee851f357f803dfc9b94f6fc9e190900a904314f11",
    tweak: "a1ba4995ff346db8cd875d5efdea85db8a7b5eb25d57dd62aca98c41429475b7",
    plain: [
      "69b4e88c37e86782f1ec5d04e5149113dff2871b69811d71709e9c3bde497011a0a3db0d544f6669d7db80a7",
      "709268ce81042cc6abaee56015e96fefaa8fa7a7638ff2f077f1a8eae1b71f9eab9e4b3f07875b6fcda8afb9",
      "fa700b52b8a8a79e075fa60eb39b791379c33e8d1c2c68c8511d3c7b7d79772a5665c5542328b003",
    ].join(""),
    cipher: [
      "b18ba00577a84d591b8e21fc3a49fad4eb36f3c4dfdcae67073f700ee966f50c304d66c9a42f739c13c84944",
      "cc0a909d7cdd193fea728d58abe7092cecb544d2caa62d7a5c9c2b15ec2aa66991f9f313f772c1c140d5e194",
      "f429a13e2502a83e94c19114a114cbbe674cb938fea7aa3229620db2f63c5857c1d55abbd6a62ae5",
    ].join(""),
  },
  {
    rounds: 20,
    key: "d381721823ff6f4a2574290d518a0e13c1535d308dee750d14d669c915a90c60",
    tweak: "659bd4a87d291df4c4d69b6a28ab64e2628197c581aaf944c1725982af16c82c",
    plain: [
      "c76b526a10f0cc09c1121d6d21a678f505a3696091369857ba0c14ccf32d7303c6b25fc81627375dd00b87b2",
      "50947b5804f4e07f6e578ec94184c1b17e4b91123a8b5d50827bcbd99ad94e1806239ed4a52098efb5dae5c0",
      "8a6a837715841eae78949ddfb7d1ea67aab01415fa672184d3412aceba4b4ae89562a955f080adbdabafdd4f",
      "a57c1336ed5e4f72ad4bf1d0884eec2c88105eea12c0160129a3a055aa68f3e99d3b0d3b6decf8a02df0908d",
      "1ce288d42471f9b3c19fc5d67670c52e9cacdb90bd8372ba6eb5a55383a9a5bf7d060e3c2ad204b51e193809",
      "16d2821f751856b8960ba6f9cf62d9325da9d71dece4df1bbef136eee37bb52feef8533d6ab770a9fc9c5725",
      "f28910d3b8a88c30ae234f0e13664fe1b6c0e4f8ef93bd6e15856be360811d68d731878909abd5961df36d67",
      "80ca07315da7e4fb3ef29b335218c830fe2dca1e79927a605cb65887a436a267928ba4b7f186dfdcc07e8f63",
      "d2a2dc78eb4fd89647cab891f9f794215f9a9f5bb840414b66696a72d0cb70b793b5379605374fe58ca75a4e",
      "8bb784eac7fc196e1f5aa1ac187d523bb3346299e49e31043fc08d84177c25485267112767bb5a85ca56b25c",
      "e6ecd5963d15fcfb2225f413e5934b9a77f15218fa165e490345a808fab34192795033cad0d74255c39a0c4e",
      "d9a43c86809f53d1a42ed1bcf1546e93a465998edf29c0646307bbea",
    ].join(""),
    cipher: [
      "e033f6e0b4a5dd2bddcefc121efc2df28bc7ebc1c42ae8440f3d97192e6da2389da6aae196b908e80b70485c",
      "edb59bcb8b40887e6973f71671bb5bfca3475da6ae3a64c4e7b8a8e7b13219dbe301b8f0a486b44cc2de5cd2",
      "6c77d2e818b70ac93d53b5c45cf08c06dc90e074471b0bf6d2716bc4f197002d6357441f8cf4e69be07addec",
      "327342327f3567600dcf10526122538d8ebb337659d910cedfefc041d533296ada46a451f0993d9631ddb5cb",
      "3e2a1fc75c79d3c520a1b1391bc60a7026399507ad7ac969fe81c7880838afad9e8dfbe8240d22b80eedbe37",
      "537ca6c67862eca359d9c69db80e6977842d6a4cc5d9b2a02ba880cce91e9c5ac4a1b237069b303267f7e7d2",
      "42c7df4ed4cba01294a1348593504b0a3c7d492501416b96a912bb0bc0d7d0931f7038b821eef6a7eeebe781",
      "a413b487fac1b0b5378b74a24ec7c2ad3d623ff83442e5ae451363fefc2a174661a9d31c4caff0096226661e",
      "74cfd6683d7dd8b7e7e6f8f00820f7471c52aa0f3e21a3f2bf2f9516a8c8c88c990f5dfbfa2b588a7ed67402",
      "60f0d05b65a8acea8d684634269d4fb19a8ec01af1edc67a83fd8a57f2e6e4bafcc63cad5b19502f3acc0646",
      "04513f9197f0d207e793897eb5320f03e5589e7472ebc238000c917269ed7d6dc871f0ecff80d91c9ed2fa15",
      "fc6c4ebcb1a6bdbd7040ca20b878d2a3c6f3799cc727e16a29ada403",
    ].join(""),
  },
];

Deno.test("Adiantum gives the ciphertext of the vectors of its authors", () => {
  for (const { rounds, key, tweak, plain, cipher } of VECTORS) {
    const wide = adiantum(bytesOf(key), rounds);
    const bytes = bytesOf(plain);
    wide.encrypt(bytes, bytesOf(tweak));
    assertEquals(hexOf(bytes), cipher);
    wide.decrypt(bytes, bytesOf(tweak));
    assertEquals(hexOf(bytes), plain);
  }
});

Deno.test("the tweak of a sector is its little-endian number in 32 bytes", () => {
  const key = bytesOf(VECTORS[0]?.key ?? "");
  const plain = new Uint8Array(3 * 4096).map((_, at) => at * 5);
  for (
    const [ivGenerator, mask] of [["plain64", 2n ** 64n - 1n], ["plain", 2n ** 32n - 1n]] as const
  ) {
    const volume = { cipher: "xchacha12,aes", mode: "adiantum", ivGenerator, sectorSize: 4096 };
    const bytes = plain.slice();
    const first = 2n ** 32n - 8n;
    sectorCipher(volume, key).encrypt(bytes, first);
    for (let sector = 0; sector < 3; sector++) {
      const tweak = new Uint8Array(32);
      const number = first + BigInt(8 * sector) & mask;
      new DataView(tweak.buffer).setBigUint64(0, number, true);
      const expected = plain.slice(sector * 4096, (sector + 1) * 4096);
      adiantum(key, 12).encrypt(expected, tweak);
      assertEquals(bytes.slice(sector * 4096, (sector + 1) * 4096), expected);
    }
    sectorCipher(volume, key).decrypt(bytes, first);
    assertEquals(bytes, plain);
  }
});

Deno.test("what Adiantum does not take, and what is not implemented, is said", () => {
  const wide = { cipher: "xchacha20,aes", mode: "adiantum", ivGenerator: "plain64" };
  assertEquals(reasonUnusable(wide, 32), undefined);
  const refusals: [Partial<typeof wide> & { sectorSize?: number }, number, RegExp][] = [
    [{}, 64, /a key of 64 bytes is not one of 32$/],
    [
      { cipher: "xchacha8,aes" },
      32,
      /^Cannot use xchacha8,aes in adiantum mode: .* not implemented$/,
    ],
    [{ ivGenerator: "essiv" }, 32, /^Cannot use the IV generator essiv in .* not implemented$/],
    [{ sectorSize: 520 }, 32, /^Cannot use sectors of 520 bytes/],
    [{ cipher: "aes", mode: "hctr2" }, 32, /^Cannot use aes in hctr2 mode: it is not implemented$/],
    [
      { cipher: "aegis128", mode: "random" },
      16,
      /^Cannot use aegis128 in .*: it is not implemented$/,
    ],
  ];
  for (const [change, length, says] of refusals) {
    const options = { ...wide, ...change };
    const { message } = assertThrows(
      () => sectorCipher(options, new Uint8Array(length)),
      RangeError,
    );
    assertEquals([message, says.test(message)], [reasonUnusable(options, length), true]);
  }
});
