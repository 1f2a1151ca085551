export { builtinModules } from './builtins.ts'
export {
  type CallContext,
  type CatalogueFunction,
  type CatalogueModule,
  type CatalogueParameter,
  type CatalogueResult,
  describeCatalogue,
  type FunctionDescription,
  type ModuleDescription,
  type ValueDescription,
  type ValueType,
} from './catalogue.ts'
export { checkArguments, signature } from './check-arguments.ts'
export { type CatalogueDispatcher, catalogueDispatcher } from './dispatch.ts'
export { type CatalogueLookup, catalogueLookup } from './lookup.ts'
export { generateReference } from './reference.ts'
export { generateDts, generateLuaMeta } from './type-files.ts'
export type { SignatureLanguage } from './type-text.ts'
