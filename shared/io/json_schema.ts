/** The part of JSON Schema that our schemas use. @see https://json-schema.org/draft/2020-12 */
export interface JsonSchema {
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  description?: string;
  const?: unknown;
  enum?: readonly unknown[];
  required?: readonly string[];
  properties?: Readonly<Record<string, JsonSchema>>;
  /** False: no other; otherwise what the others are. */
  additionalProperties?: false | JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  minLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  /** Exactly one of them fits; ours tell apart which properties are there. */
  oneOf?: readonly JsonSchema[];
}

/**
 * What in a JSON value is not as its schema says.
 *
 * @param place of the value in its file, for messages
 * @returns one phrase a problem, each with the place and what is found there; none where it fits
 */
export function schemaProblems(schema: JsonSchema, value: unknown, place = ''): string[] {
  const found = JSON.stringify(value);
  const wrong = (wish: string): string[] => [`${place || 'it'} is ${found}, not ${wish}`];
  if (schema.type && !isOfType(schema.type, value)) return wrong(`of type ${schema.type}`);
  if ('const' in schema && value !== schema.const) return wrong(JSON.stringify(schema.const));
  if (schema.enum && !schema.enum.includes(value)) return wrong(`one of ${schema.enum.join(', ')}`);
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value)) return wrong(`at least ${schema.minimum}`);
    if (schema.exclusiveMinimum !== undefined && !(value > schema.exclusiveMinimum))
      return wrong(`above ${schema.exclusiveMinimum}`);
  }
  if (typeof value === 'string' && value.length < (schema.minLength ?? 0)) return wrong('a text');
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return wrong(`a list of at least ${schema.minItems}`);
    return value.flatMap((item, i) => (schema.items ? schemaProblems(schema.items, item, `${place}[${i}]`) : []));
  }
  if (typeof value !== 'object' || value === null) return [];
  return objectProblems(schema, value as Record<string, unknown>, place);
}

function objectProblems(schema: JsonSchema, value: Record<string, unknown>, place: string): string[] {
  const at = (name: string): string => (place ? `${place}.${name}` : name);
  const { required = [], properties = {}, additionalProperties, oneOf } = schema;
  const problems = required.filter((name) => !(name in value)).map((name) => `${at(name)} is missing`);
  for (const [name, part] of Object.entries(value)) {
    const known = properties[name] ?? additionalProperties;
    if (known === false) problems.push(`${at(name)} is not one of ${Object.keys(properties).join(', ')}`);
    else if (known) problems.push(...schemaProblems(known, part, at(name)));
  }
  if (oneOf && oneOf.filter((one) => schemaProblems(one, value).length === 0).length !== 1)
    problems.push(`${place || 'it'} has not exactly one of ${oneOf.flatMap((one) => one.required).join(', ')}`);
  return problems;
}

function isOfType(type: NonNullable<JsonSchema['type']>, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}
