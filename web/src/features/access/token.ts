/** Replacing the token that scripts sign in with. */

import { post } from '../../api/client';
import { messageOf } from '../../lib/errors';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';

export async function replaceToken(): Promise<void> {
  const sure = await confirmation.ask({
    title: 'Replace the access token?',
    text: 'The old token and unused sign-in links stop working immediately. Scripts must read the token file again. All other browsers are signed out. This browser stays signed in.',
    act: 'Replace token',
  });
  if (!sure) return;
  try {
    await post('/api/v1/session/token', { body: { confirm: true } });
    toasts.add('The token was replaced. Other browsers are signed out.');
  } catch (error) {
    toasts.add(messageOf(error));
  }
}
