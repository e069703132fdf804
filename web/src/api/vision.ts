/** Image analysis. */

import type { Schemas } from './client';

export type Vision = Schemas['ImageAnalysisSettings'];
export type VisionState = Schemas['ImageAnalysis'];
export type VisionChange = Schemas['ImageAnalysisRequest'];
