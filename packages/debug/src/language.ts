/** The languages of scripts, as `@llmspell/script` names them. */
export type Language = 'lua' | 'javascript' | 'typescript'
