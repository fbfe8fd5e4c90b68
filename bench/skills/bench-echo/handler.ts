import { defineSkill } from 'phoenix/skill';

export default defineSkill(() => ({ infer: ({ prompt }) => prompt }));
