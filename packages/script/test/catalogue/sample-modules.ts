import type { CatalogueModule } from '../../src/catalogue/catalogue.ts'

/** A small catalogue that uses every feature of the description. */
export const store: CatalogueModule = {
  name: 'Store',
  doc: 'Values by name.',
  values: [{ name: 'limit', type: 'integer', doc: 'Greatest number of entries.' }],
  functions: [
    {
      name: 'get',
      doc: 'Reads a value.',
      parameters: [
        { name: 'key', type: 'string', doc: 'name of the value' },
        {
          name: 'options',
          type: 'object',
          optional: true,
          doc: 'where to look',
          fields: [
            { name: 'scope', type: 'string', optional: true, values: ['kernel', 'session'], doc: 'whose value' },
            { name: 'version', type: 'integer', optional: true, doc: 'a version' },
          ],
        },
      ],
      result: { type: 'any', doc: 'the value, or nil' },
      examples: { lua: 'Store.get("a")', javascript: "await Store.get('a')" },
      sync: true,
      run: (args) => args,
    },
    {
      name: 'set',
      doc: 'Writes a value.',
      parameters: [
        { name: 'key', type: 'string', doc: 'name of the value' },
        { name: 'value', type: 'any', doc: 'what to keep' },
        { name: 'tags', type: 'array', optional: true, doc: 'words' },
      ],
      run: (args) => args,
    },
  ],
}
