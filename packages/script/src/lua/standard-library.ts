export interface StandardFunction {
  signature: string
  doc: string
}

export const standardLibrary: Readonly<Record<string, StandardFunction>> = {}
