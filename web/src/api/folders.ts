/** Folders and scans. */

import type { Schemas } from './client';

export type Folder = Schemas['Folder'];
export type RemovedFolder = Schemas['RemovedFolder'];
export type FolderList = Schemas['FolderList'];
export type LostFile = Schemas['MissingFile'];
export type LostFiles = Schemas['MissingFilePage'];
export type UntrackedFile = Schemas['Failure'];
export type ScanReport = Schemas['ImportReport'];
export type ExcludePreview = Schemas['ExcludePreview'];
export type Scan = Schemas['ImportStatus'];
export type Change = keyof Pick<ScanReport, 'imported' | 'changed' | 'moved' | 'copies' | 'missing'>;
