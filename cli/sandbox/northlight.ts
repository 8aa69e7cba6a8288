/**
 * Northlight, an invented company: the organization that a new sandbox starts with.
 */

export const roles = [
  { id: 'role-basic', name: 'Basic Role', type: 'preset', customer: null, permissions: [] },
  { id: 'role-it', name: 'IT Manager', type: 'preset', customer: null, permissions: ['users.manage'] },
  { id: 'role-finance', name: 'Finance User', type: 'preset', customer: null, permissions: ['billing.view'] },
  { id: 'role-standard', name: 'Standard User', type: 'preset', customer: null, permissions: ['cloudanalytics.view'] },
  { id: 'role-power', name: 'Power User', type: 'preset', customer: null, permissions: ['cloudanalytics.edit'] },
  { id: 'role-support', name: 'Support User', type: 'preset', customer: null, permissions: ['support.open'] },
  { id: 'role-admin', name: 'Admin', type: 'preset', customer: null, permissions: ['*'] },
  {
    id: 'role-tides',
    name: 'Tidal Data Team',
    type: 'custom',
    customer: 'northlight',
    permissions: ['cloudanalytics.edit'],
  },
] as const;

export const organizations = [
  { id: 'root', name: 'Northlight' },
  { id: 'org-shipping', name: 'Northlight Shipping' },
  { id: 'org-observatory', name: 'Northlight Observatory' },
] as const;

export const users = [
  {
    email: 'ingrid.solheim@northlight.example',
    firstName: 'Ingrid',
    lastName: 'Solheim',
    jobTitle: 'Founder',
    roleId: 'role-admin',
    status: 'active',
  },
  {
    email: 'tomas.brandt@northlight.example',
    firstName: 'Tomas',
    lastName: 'Brandt',
    jobTitle: 'Management',
    roleId: 'role-it',
    status: 'active',
  },
  {
    email: 'amara.diallo@northlight.example',
    firstName: 'Amara',
    lastName: 'Diallo',
    jobTitle: 'Finance / Accounting',
    roleId: 'role-finance',
    status: 'active',
  },
  {
    email: 'yuki.tanabe@northlight.example',
    firstName: 'Yuki',
    lastName: 'Tanabe',
    jobTitle: 'Software / Ops Engineer',
    roleId: 'role-power',
    status: 'Active',
  },
  {
    email: 'rosa.figueroa@northlight.example',
    firstName: 'Rosa',
    lastName: 'Figueroa',
    jobTitle: 'Legal / Purchasing',
    roleId: 'role-standard',
    status: 'invited',
  },
  {
    email: 'piotr.wolny@northlight.example',
    firstName: 'Piotr',
    lastName: 'Wolny',
    jobTitle: 'Sales / Marketing',
    roleId: 'role-standard',
    status: 'invited',
  },
  {
    email: 'helena.marsh@northlight.example',
    firstName: 'Helena',
    lastName: 'Marsh',
    jobTitle: 'Executive Team',
    roleId: 'role-standard',
    status: 'disabled',
  },
  {
    email: 'omar.haddad@northlight.example',
    firstName: 'Omar',
    lastName: 'Haddad',
    jobTitle: 'Data Engineer / Data Analysts',
    roleId: 'role-tides',
    organizationId: 'org-observatory',
    status: 'active',
  },
  {
    email: 'sanna.lindqvist@northlight.example',
    firstName: 'Sanna',
    lastName: 'Lindqvist',
    jobTitle: 'Software / Ops Engineer',
    roleId: 'role-standard',
    status: 'expired',
  },
] as const;
