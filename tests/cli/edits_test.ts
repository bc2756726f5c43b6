/** What the program says about changes that it rejects. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

Deno.test("the error of a missing data file has its name", () =>
  withDirectory(async (directory) => {
    const made = await diskproof(directory, [
      ...["create", "-f", "qcow2", "-o", "data_file=data.raw", "disk.qcow2", "1M"],
    ]);
    assertEquals([made.status, made.stderr], [0, ""]);
    Deno.removeSync(`${directory}/data.raw`);
    Deno.writeTextFileSync(`${directory}/bytes`, "x");
    const { status, stderr } = await diskproof(directory, [
      ...["write", "disk.qcow2", "--offset", "0", "bytes"],
    ]);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "The data file 'data.raw' is not opened: there is no such file");
  }));

Deno.test("write accepts one offset and one length, and amend points to the verb for key slots", () =>
  withDirectory(async (directory) => {
    const said = async (...args: string[]) => {
      const { status, stderr } = await diskproof(directory, args);
      assertEquals(status, 2);
      return stderr.replace("diskproof: ", "").trimEnd();
    };
    assertEquals(
      await said("write", "disk", "--offset", "0", "--offset", "1", "bytes"),
      "option --offset is given twice",
    );
    assertEquals(
      await said("write", "disk", "--offset=0", "--zero", "--length=1", "--length=2"),
      "option --length is given twice",
    );
    for (
      const option of ["encrypt.new-secret=key", "keyslot=1", "compat=1.1,encrypt.state=active"]
    ) {
      assertEquals(
        await said("amend", "disk", "-o", option),
        "amend does not change key slots (use key add, key change or key erase)",
      );
    }
  }));
