import type { HeaderCopy } from "../decode.ts";
import { type AddFinding, inJson, shown } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { type Context, sortFault, valueFaults } from "./check.ts";
import { text } from "./scalars.ts";
import type { MapMember, Members, ObjectMember, ReferencesMember } from "./schema.ts";
import { type JsonNode, member as memberOf, members as membersOf } from "./value.ts";

/** A value and its location. */
interface Spot {
  readonly node: JsonNode | undefined;
  readonly name: string;
  /** `undefined` of the outermost value. */
  readonly around: Spot | undefined;
  /** Name in messages for the entries of the map that contains it. */
  readonly entry?: string;
}

/** Members that share a rule and have at most one finding. */
interface Group {
  readonly rule: Luks2Rule;
  readonly spot: Spot;
  broken: boolean;
}

/** Judges the JSON of one copy and collects its findings. */
export class JsonJudge {
  readonly copy: HeaderCopy;
  readonly #root: JsonNode;
  readonly #context: Context;
  readonly #add: AddFinding;
  readonly #broken = new Set<string>();

  constructor(copy: HeaderCopy, root: JsonNode, { context, add }: {
    readonly context: Context;
    readonly add: AddFinding;
  }) {
    this.copy = copy;
    this.#root = root;
    this.#context = context;
    this.#add = add;
  }

  /** Records that `rule` is broken at a path in the outermost value, unless `holds`. */
  must(holds: boolean, rule: Luks2Rule, path: string, message: () => string): void {
    if (holds) return;
    this.#broken.add(`${rule} ${path}`);
    this.#add(rule, inJson(this.copy, path), message);
  }

  /** Whether a rule was not found to be broken at a path. */
  holds(rule: Luks2Rule, path: string): boolean {
    return !this.#broken.has(`${rule} ${path}`);
  }

  /**
   * Judges the outermost value by its description. Returns whether it has all required members. Without
   * them nothing else is judged.
   */
  judge({ members, rule }: ObjectMember): boolean {
    const spot: Spot = { node: this.#root, name: "", around: undefined };
    if (rule !== undefined && this.#root.kind !== "object") {
      this.must(false, rule, "", () => "The outermost value is not an object");
      return false;
    }
    const complete = this.#exist(members, spot, undefined);
    if (complete) this.#values(members, spot, undefined);
    return complete;
  }

  /** Judges whether members exist and have the correct types. */
  #exist(members: Members, around: Spot, group: Group | undefined): boolean {
    let complete = true;
    for (const name in members) {
      const member = members[name] as Members[string];
      const node = memberOf(around.node, name);
      const says = sortFault(member, node);
      if (says === undefined) continue;
      complete = false;
      this.#report({ node, name, around }, says, member.rule ?? group);
    }
    return complete;
  }

  /** Judges the values of members that exist and have the correct types. */
  #values(members: Members, around: Spot, group: Group | undefined): void {
    for (const name in members) {
      const member = members[name] as Members[string];
      const node = memberOf(around.node, name);
      if (node === undefined || sortFault(member, node) !== undefined) continue;
      const spot = { node, name, around };
      if (member.sort === "object") this.#object(member, spot, group);
      else if (member.sort === "map") this.#entries(member, spot);
      else if (member.sort === "references") this.#references(member, spot);
      else {
        for (const { rule, says } of valueFaults(member, node, this.#context)) {
          this.#report(spot, says, rule ?? group);
        }
      }
    }
  }

  #object(object: ObjectMember, spot: Spot, around: Group | undefined): void {
    const group = groupOf(object.fields, spot) ?? around;
    this.#exist(object.members, spot, group);
    this.#values(object.members, spot, group);
    const { variants = {} } = object;
    const type = text(memberOf(spot.node, "type")) ?? "";
    const variant = Object.hasOwn(variants, type) ? variants[type] : undefined;
    if (variant === undefined || variant.later) return;
    const { members, fields, only } = variant;
    const own = groupOf(fields, spot) ?? group;
    this.#exist(members, spot, own);
    this.#values(members, spot, own);
    if (only === undefined || own?.broken) return;
    const others = membersOf(spot.node).map(([name]) => name)
      .filter((name) => !Object.hasOwn(object.members, name) && !Object.hasOwn(members, name));
    if (others.length === 0) return;
    this.#report(spot, `also has ${others.slice(0, 3).map(shown).join(", ")}`, only);
  }

  #entries({ entry, called, numbered }: MapMember, around: Spot): void {
    for (const [name, node] of membersOf(around.node)) {
      const spot = { node, name, around, entry: called };
      if (!/^[0-9]*$/.test(name)) {
        this.#report(spot, "does not have a number as its name", numbered);
      }
      this.#object(entry, spot, undefined);
    }
  }

  #references({ to, dangling }: ReferencesMember, spot: Spot): void {
    const items = spot.node?.kind === "array" ? spot.node.items : [];
    const section = memberOf(this.#root, to);
    const missing = (item: JsonNode): boolean =>
      memberOf(section, text(item) ?? "")?.kind !== "object";
    const other = items.find((item) => item.kind !== "string") ?? items.find(missing);
    if (other === undefined) return;
    const says = other.kind === "string"
      ? `names ${shown(other.text)}, which does not exist`
      : "contains something that is not a string";
    this.#report(spot, says, dangling);
  }

  /** Reports under a rule, or once under that of a group. */
  #report(spot: Spot, says: string, rule: Luks2Rule | Group | undefined): void {
    const message = () => `${calledOf(spot)} ${says}`;
    if (typeof rule === "string") return this.must(false, rule, pathOf(spot), message);
    if (rule === undefined || rule.broken) return;
    rule.broken = true;
    this.must(false, rule.rule, pathOf(rule.spot), message);
  }
}

function groupOf(rule: Luks2Rule | undefined, spot: Spot): Group | undefined {
  return rule === undefined ? undefined : { rule, spot, broken: false };
}

function pathOf({ name, around }: Spot): string {
  return around === undefined ? "" : `${pathOf(around)}/${name}`;
}

/** `size of segment 0`. */
function calledOf({ name, around, entry }: Spot): string {
  if (entry !== undefined) return `${entry} ${/^[0-9]+$/.test(name) ? name : shown(name)}`;
  return around?.around === undefined ? name : `${name} of ${calledOf(around)}`;
}
