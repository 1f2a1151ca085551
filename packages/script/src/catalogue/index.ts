export {
  type CallContext,
  type CatalogueFunction,
  type CatalogueModule,
  type CatalogueParameter,
  type CatalogueResult,
  describeCatalogue,
  type FunctionDescription,
  type ModuleDescription,
  type ValueType,
} from './catalogue.ts'
export { checkArguments, signature } from './check-arguments.ts'
export { type CatalogueDispatcher, catalogueDispatcher } from './dispatch.ts'
