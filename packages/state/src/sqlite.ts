export { type DatabaseOptions, type Durability, type OpenedDatabase, openDatabase, type Sqlite } from './drivers/database.ts'
export { createSqliteDriver, type SqliteDriverOptions } from './drivers/sqlite.ts'
