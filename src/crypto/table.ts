/**
 * Facts by name. Looking up any other text gives `undefined`, also for the names of inherited
 * properties: names come from headers that anybody can write.
 */
export type Table<Name extends string, Facts> =
  & Readonly<Record<Name, Facts>>
  & Readonly<Record<string, Facts | undefined>>;

/** The names of a table, in the order in which they are printed. */
export function namesOf<Name extends string>(
  table: Readonly<Record<Name, unknown>>,
): readonly Name[] {
  return Object.freeze(Object.keys(table) as Name[]);
}

/** A frozen table of the entries. */
export function tableOf<Name extends string, Facts>(
  entries: Readonly<Record<Name, Facts>>,
): Table<Name, Facts> {
  return Object.freeze(Object.assign(Object.create(null), entries));
}
